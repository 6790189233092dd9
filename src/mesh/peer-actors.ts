import { type ActorCall, type ActorReply, type ActorTickCall, saysActorError } from "../app/actor-host.ts";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import { traceMetadata } from "../net/grpc/trace-metadata.ts";
import type { GrpcClient } from "../net/grpc/types.ts";
import { isLost, type Mesh, type PeerLease } from "./mesh.ts";
import { isGrpcCode, type RequestHead, type ResponseHead } from "./messages.ts";
import type { PlacementHost } from "./placement-stream.ts";
import { callActor } from "./service-invocation.ts";

const NO_BYTES = new Uint8Array(0);
const OK = 200;

/** The actors of other sidecars, by Dapr's internal gRPC: `CallActor` and `CallActorReminder`. */
export class PeerActors {
  readonly #mesh: Pick<Mesh, "leaseAt" | "forgetPeer">;
  readonly #namespace: string;
  /** Loaded with the first timer or reminder. */
  #reminders: typeof import("./reminder-message.ts") | undefined;

  constructor(mesh: Pick<Mesh, "leaseAt" | "forgetPeer">, namespace: string) {
    this.#mesh = mesh;
    this.#namespace = namespace;
  }

  /** @throws GrpcError of the peer or the connection */
  async call(owner: PlacementHost, call: ActorCall, signal: CancelSignal): Promise<ActorReply> {
    return await this.#with(owner, async (client) => {
      const { response } = await client.unary(callActor, requestOf(call), {
        signal,
        metadata: traceMetadata(call.trace),
      });
      return replyOf(response);
    });
  }

  /** @throws GrpcError of the peer or the connection */
  async fire(owner: PlacementHost, tick: ActorTickCall, signal: CancelSignal): Promise<void> {
    this.#reminders ??= await import("./reminder-message.ts");
    const { callActorReminder, reminderMessage } = this.#reminders;
    await this.#with(owner, async (client) => {
      await client.unary(callActorReminder, reminderMessage(tick), { signal, metadata: traceMetadata(tick.trace) });
    });
  }

  forget(address: string): void {
    this.#mesh.forgetPeer(address);
  }

  async #with<T>(owner: PlacementHost, work: (client: GrpcClient) => Promise<T>): Promise<T> {
    const lease: PeerLease = this.#mesh.leaseAt(owner.address, { appId: owner.appId, namespace: this.#namespace });
    try {
      const result = await work(lease.client);
      lease.release();
      return result;
    } catch (error) {
      (isLost(error) ? lease.lost : lease.release)();
      throw error;
    }
  }
}

function requestOf({ type, id, method, verb, query, headers, contentType, body }: ActorCall): RequestHead {
  return {
    actor: { type, id },
    headers,
    origin: "http",
    method,
    verb,
    query,
    contentType,
    typeUrl: "",
    data: body.byteLength === 0 ? undefined : body,
    stamps: undefined,
    hasMessage: true,
    hasMetadata: true,
  };
}

function replyOf({ status, headers, contentType, data }: ResponseHead): ActorReply {
  const code = status?.code ?? OK;
  return {
    status: isGrpcCode(code) ? { kind: "grpc", code, message: status?.message ?? "" } : { kind: "http", code },
    headers,
    contentType,
    body: data ?? NO_BYTES,
    isError: saysActorError(headers),
  };
}
