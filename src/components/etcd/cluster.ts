import { create } from "@bufbuild/protobuf";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { Timer } from "../../kit/clock.ts";
import { tls } from "../../kit/lazy-builtins.ts";
import { createGrpcClient } from "../../net/grpc/client.ts";
import { methodsOf } from "../../net/grpc/protobuf.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { GrpcClient, GrpcMethod } from "../../net/grpc/types.ts";
import { createH2Transport } from "../../net/h2/protocol/transport.ts";
import { KV, RangeRequestSchema } from "../../wire/gen/etcdserverpb/rpc_pb.js";
import type { ComponentDeps } from "../spi/component.ts";

/** Milliseconds for one call, as in Dapr. */
const CALL_MS_MAX = 5_000;
/** Bytes of one answer: what etcd accepts in a request, several times, since a page holds many keys. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;
const PORT_DEFAULT = 2379;
/** Milliseconds between two looks for a cluster that could not be reached, so that it is found without a caller. */
const PROBE_INTERVAL_MS = 2_000;
/** etcd's own tools ask for this key to see whether it works. */
const PROBE_KEY = Buffer.from("health");

const KEYS = methodsOf(KV);

export interface ClusterTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

interface Member {
  readonly address: string;
  readonly client: GrpcClient;
}

/**
 * The members of an etcd cluster, any of which serves every call: a call goes to the one that answered last. One that
 * cannot be reached hands over to the next; what only reads is repeated there at once, a write is not, since nobody knows
 * whether it was done.
 */
export class EtcdCluster {
  readonly #members: readonly Member[];
  readonly #deps: Pick<ComponentDeps, "clock" | "report">;
  #current = 0;
  #probe: Timer | undefined;
  #closed = false;

  /** Connects with the first call, as Dapr does. */
  constructor(endpoints: string, secure: ClusterTls | undefined, deps: Pick<ComponentDeps, "clock" | "report">) {
    const transport = createH2Transport();
    this.#deps = deps;
    this.#members = endpoints.split(",").map((endpoint) => {
      const { address, host, port } = addressOf(endpoint.trim());
      const connect =
        secure === undefined ? undefined : () => tls().connect({ host, port, ...secure, ALPNProtocols: ["h2"] });
      const client = createGrpcClient(transport, address, {
        messageBytesMax: ANSWER_BYTES_MAX,
        ...(connect === undefined ? {} : { scheme: "https", transport: { connect } }),
      });
      return { address, client };
    });
  }

  /** @throws GrpcError of the last member that was asked */
  async read<I, O>(method: GrpcMethod<I, O>, request: I): Promise<O> {
    for (let left = this.#members.length - 1; ; left -= 1) {
      try {
        return await this.write(method, request);
      } catch (error) {
        if (left === 0 || !isUnavailable(error)) {
          throw error;
        }
      }
    }
  }

  /** Asks one member. @throws GrpcError */
  async write<I, O>(method: GrpcMethod<I, O>, request: I): Promise<O> {
    const index = this.#current;
    const member = this.#members[index] as Member;
    try {
      const { response } = await member.client.unary(method, request, { timeoutMs: CALL_MS_MAX });
      this.#found();
      return response;
    } catch (error) {
      if (isUnavailable(error)) {
        this.#lost(index, `etcd at ${member.address}: ${error.message}`);
      }
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#probe?.cancel();
    await Promise.all(this.#members.map(({ client }) => client.close()));
  }

  #found(): void {
    this.#probe?.cancel();
    this.#probe = undefined;
    this.#deps.report("ready");
  }

  #lost(index: number, reason: string): void {
    // Calls that failed together move on once.
    if (this.#current === index) {
      this.#current = (index + 1) % this.#members.length;
    }
    this.#deps.report("degraded", reason);
    if (!this.#closed) {
      this.#probe ??= this.#deps.clock.after(PROBE_INTERVAL_MS, () => {
        this.#probe = undefined;
        // How it ends is told on the way.
        this.write(KEYS.range, create(RangeRequestSchema, { key: PROBE_KEY, keysOnly: true })).catch(() => undefined);
      });
    }
  }
}

function isUnavailable(error: unknown): error is GrpcError {
  return (
    GrpcError.is(error) && (error.code === GRPC_STATUS.UNAVAILABLE || error.code === GRPC_STATUS.DEADLINE_EXCEEDED)
  );
}

/** `host`, `host:port` and `http(s)://host:port` alike. */
function addressOf(endpoint: string): { readonly address: string; readonly host: string; readonly port: number } {
  const [, host = "", port = String(PORT_DEFAULT)] =
    /^(?:https?:\/\/)?(\[[^\]]*\]|[^:/]*)(?::([0-9]+))?/.exec(endpoint) ?? [];
  return { address: `${host}:${port}`, host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}
