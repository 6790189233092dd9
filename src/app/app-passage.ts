import { GRPC_STATUS } from "../errors/grpc-status.ts";
import { GrpcError } from "../net/grpc/status.ts";
import type { GrpcClient, PassingCall, PassOnOptions } from "../net/grpc/types.ts";
import type { ConcurrencyLimit } from "./concurrency-limit.ts";
import { APP_UNHEALTHY } from "./http-channel.ts";

export interface AppPassageOptions {
  /** Makes a gRPC client of the app's port, whatever the app is said to speak; called with the first call. */
  readonly connect: () => GrpcClient | Promise<GrpcClient>;
  /** Sent with every call as `dapr-api-token`; empty: none. */
  readonly appToken: string;
  /** Shared with all other calls of the app. */
  readonly limit: ConcurrencyLimit | undefined;
  readonly isHealthy?: (() => boolean) | undefined;
}

/** The way of calls that are passed on as they are to this sidecar's app. */
export class AppPassage {
  readonly #options: AppPassageOptions;
  #client: GrpcClient | undefined;
  #connecting: Promise<GrpcClient> | undefined;

  constructor(options: AppPassageOptions) {
    this.#options = options;
  }

  /**
   * Passes a call on and resolves to the code of its outcome. A call takes one of the app's slots until it is over or
   * turns out to be a stream, by the second message in either direction: a stream may last for ever.
   *
   * @param headers taken over; without the caller's `dapr-api-token`
   * @param isStream the caller says that it is one
   * @throws GrpcError when the app is unhealthy, too many calls wait for it, or it cannot be reached
   */
  async passOn(call: PassingCall, headers: string[], isStream: boolean, options: PassOnOptions): Promise<number> {
    const { appToken, limit, isHealthy } = this.#options;
    if (isHealthy?.() === false) {
      throw new GrpcError(GRPC_STATUS.INTERNAL, APP_UNHEALTHY);
    }
    if (appToken !== "") {
      headers.push("dapr-api-token", appToken);
    }
    const client = this.#client ?? (await this.#connect());
    if (limit === undefined || isStream) {
      return await call.passOn(client, headers, options);
    }
    await limit.acquire(call.cancellation);
    return await passWithin(limit, call, () => call.passOn(client, headers, options));
  }

  async close(): Promise<void> {
    const client = this.#client ?? (await this.#connecting);
    await client?.close();
  }

  #connect(): Promise<GrpcClient> {
    this.#connecting ??= Promise.resolve(this.#options.connect()).then((client) => (this.#client = client));
    return this.#connecting;
  }
}

async function passWithin(limit: ConcurrencyLimit, call: PassingCall, pass: () => Promise<number>): Promise<number> {
  let held = true;
  const release = (): void => {
    if (held) {
      held = false;
      limit.release();
    }
  };
  if (call.requestStreams) {
    release();
  }
  call.onRequestStreams = release;
  call.onAnswerStreams = release;
  try {
    return await pass();
  } finally {
    release();
  }
}
