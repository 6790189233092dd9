import { create } from "@bufbuild/protobuf";
import { GRPC_STATUS } from "../../../errors/grpc-status.ts";
import type { CancelSignal } from "../../../kit/cancel-signal.ts";
import { type Clock, sleep } from "../../../kit/clock.ts";
import { createGrpcClient } from "../../../net/grpc/client.ts";
import { HeaderMetadata } from "../../../net/grpc/metadata.ts";
import { methodsOf } from "../../../net/grpc/protobuf.ts";
import { GrpcError } from "../../../net/grpc/status.ts";
import type { ClientStream, GrpcClient, GrpcMethod, Metadata } from "../../../net/grpc/types.ts";
import type { Transport } from "../../../net/h2/transport.ts";
import { Auth, AuthenticateRequestSchema } from "../../../wire/gen/etcdserverpb/rpc_pb.js";
import {
  ETCD_ANSWER_BYTES_MAX,
  ETCD_CALL_MS_MAX,
  ETCD_KEEPALIVE,
  ETCD_REPEAT_DELAY_MS,
  ETCD_REPEAT_DELAY_MS_MAX,
  ETCD_REPEAT_MS,
} from "../limits.ts";

const AUTH = methodsOf(Auth);
const PORT_DEFAULT = 2379;
/** Calls fail at once where the member has no leader, instead of waiting for one. */
const REQUIRE_LEADER = ["hasleader", "true"];

/** What etcd says of a token that it does not know any more (api/v3rpc/rpctypes). */
const STALE_TOKEN = /invalid auth token|revision of auth store is old|user name is empty/;
/** What it says where it asks nobody who they are. */
const NO_AUTH = "authentication is not enabled";

/** What it says when a change of leaders was in the way, where a call may be repeated if that does no harm. */
const PASSING =
  /request timed out|leader changed|no leader|not enough started members|too many requests|waiting for the applied index/;

export interface EtcdCredentials {
  readonly username: string;
  readonly password: string;
}

export interface EtcdClientOptions {
  /** `host:port`, or `http://host:port`. At least one. */
  readonly endpoints: readonly string[];
  readonly credentials?: EtcdCredentials | undefined;
  readonly clock: Clock;
  readonly transport: Transport;
}

interface StreamOptions {
  readonly signal?: CancelSignal;
  readonly timeoutMs?: number;
}

/**
 * A client of an etcd's members, any of which serves every call: a call goes to the one that answered last. What has not
 * reached a member is repeated at the next one, for a while; what may have been done there only where that does no harm.
 */
export class EtcdClient {
  readonly #options: EtcdClientOptions;
  readonly #members: readonly GrpcClient[];
  readonly #closed = new AbortController();
  #current = 0;
  #token: Promise<string> | undefined;

  constructor(options: EtcdClientOptions) {
    this.#options = options;
    this.#members = options.endpoints.map((endpoint) =>
      createGrpcClient(options.transport, etcdAddress(endpoint), {
        messageBytesMax: ETCD_ANSWER_BYTES_MAX,
        headers: REQUIRE_LEADER,
        transport: ETCD_KEEPALIVE,
      }),
    );
  }

  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  /**
   * @param isRepeatable whether doing it twice is as good as once
   * @throws GrpcError of the last attempt
   */
  async call<I, O>(method: GrpcMethod<I, O>, request: I, isRepeatable: boolean): Promise<O> {
    const { clock } = this.#options;
    const endMs = clock.monotonicMs() + ETCD_REPEAT_MS;
    for (let delayMs = ETCD_REPEAT_DELAY_MS; ; delayMs = Math.min(2 * delayMs, ETCD_REPEAT_DELAY_MS_MAX)) {
      try {
        return await this.callOnce(method, request, ETCD_CALL_MS_MAX);
      } catch (error) {
        const again = isUnreached(error) || (isRepeatable && isPassing(error));
        if (!again || this.isClosed || clock.monotonicMs() + delayMs > endMs) {
          throw error;
        }
      }
      await sleep(clock, delayMs, this.#closed.signal);
    }
  }

  /** One attempt. @throws GrpcError */
  async callOnce<I, O>(method: GrpcMethod<I, O>, request: I, timeoutMs: number): Promise<O> {
    for (let attempt = 1; ; attempt += 1) {
      const index = this.#current;
      try {
        const metadata = await this.#metadata();
        const { response } = await this.#member(index).unary(method, request, { timeoutMs, metadata });
        return response;
      } catch (error) {
        this.#failed(index, error);
        if (attempt > 1 || !this.#isStaleToken(error)) {
          throw error;
        }
        this.#token = undefined;
      }
    }
  }

  /** A stream to one member. Its failure moves on to the next. @throws GrpcError */
  async stream<I, O>(method: GrpcMethod<I, O>, options: StreamOptions): Promise<ClientStream<I, O>> {
    const metadata = await this.#metadata();
    return this.#member(this.#current).stream(method, { ...options, metadata });
  }

  /** Told when a stream has ended in an error. */
  streamFailed(error: unknown): void {
    this.#failed(this.#current, error);
    if (this.#isStaleToken(error)) {
      this.#token = undefined;
    }
  }

  async close(): Promise<void> {
    this.#closed.abort(new GrpcError(GRPC_STATUS.CANCELLED, "the etcd client is closed"));
    await Promise.all(this.#members.map((member) => member.close()));
  }

  #member(index: number): GrpcClient {
    return this.#members[index] as GrpcClient;
  }

  #failed(index: number, error: unknown): void {
    // Calls that failed together move on once.
    if (isAway(error) && this.#current === index) {
      this.#current = (index + 1) % this.#members.length;
    }
  }

  #isStaleToken(error: unknown): boolean {
    return this.#options.credentials !== undefined && GrpcError.is(error) && STALE_TOKEN.test(error.message);
  }

  async #metadata(): Promise<Metadata | undefined> {
    const { credentials } = this.#options;
    if (credentials === undefined) {
      return undefined;
    }
    this.#token ??= this.#authenticate(credentials);
    const token = await this.#token;
    if (token === "") {
      return undefined;
    }
    const metadata = new HeaderMetadata();
    metadata.set("token", token);
    return metadata;
  }

  async #authenticate({ username, password }: EtcdCredentials): Promise<string> {
    try {
      const request = create(AuthenticateRequestSchema, { name: username, password });
      const options = { timeoutMs: ETCD_CALL_MS_MAX };
      return (await this.#member(this.#current).unary(AUTH.authenticate, request, options)).response.token;
    } catch (error) {
      if (GrpcError.is(error) && error.message.includes(NO_AUTH)) {
        return "";
      }
      this.#token = undefined;
      throw error;
    }
  }
}

/** `host:port` of an endpoint as etcd's own clients take it. */
export function etcdAddress(endpoint: string): string {
  const [, host = "", port = String(PORT_DEFAULT)] =
    /^(?:https?:\/\/)?(\[[^\]]*\]|[^:/]*)(?::([0-9]+))?/.exec(endpoint.trim()) ?? [];
  return `${host}:${port}`;
}

/** No member has seen the call. */
function isUnreached(error: unknown): boolean {
  return GrpcError.is(error) && error.code === GRPC_STATUS.UNAVAILABLE && error.cause instanceof Error;
}

function isAway(error: unknown): boolean {
  return (
    GrpcError.is(error) && (error.code === GRPC_STATUS.UNAVAILABLE || error.code === GRPC_STATUS.DEADLINE_EXCEEDED)
  );
}

function isPassing(error: unknown): boolean {
  return GrpcError.is(error) && (error.code === GRPC_STATUS.UNAVAILABLE || PASSING.test(error.message));
}
