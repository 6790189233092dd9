import { GRPC_STATUS } from "../errors/grpc-status.ts";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import { type Clock, sleep } from "../kit/clock.ts";
import type { Random } from "../kit/random.ts";
import type { TraceContext } from "../kit/trace-context.ts";
import { GrpcError } from "../net/grpc/status.ts";
import { traceMetadata } from "../net/grpc/trace-metadata.ts";
import type { GrpcClient, GrpcMethod } from "../net/grpc/types.ts";
import { CALL_RETRY_DELAY_MS, CALL_TIMEOUT_MS, SCHEDULERS_MAX, WAITING_CALLS_MAX } from "./limits.ts";
import type { ConnectScheduler } from "./types.ts";

export interface SchedulerPoolOptions {
  readonly connect: ConnectScheduler;
  readonly clock: Clock;
  readonly random: Random;
}

/** One connection to each scheduler, for calls, which take turns, and for streams. */
export class SchedulerPool {
  readonly #options: SchedulerPoolOptions;
  readonly #clients = new Map<string, GrpcClient>();
  readonly #closed = new AbortController();
  #waiting: (() => void)[] = [];
  #isKnown = false;
  #turn = 0;

  constructor(options: SchedulerPoolOptions) {
    this.#options = options;
  }

  get clients(): ReadonlyMap<string, GrpcClient> {
    return this.#clients;
  }

  /**
   * Makes clients of those that are new and lets go of those that are not there any more.
   *
   * @returns what was let go of, for the caller to close when its streams have ended
   */
  replace(addresses: readonly string[]): GrpcClient[] {
    const wanted = new Set(addresses.slice(0, SCHEDULERS_MAX));
    const gone: GrpcClient[] = [];
    for (const [address, client] of this.#clients) {
      if (!wanted.has(address)) {
        this.#clients.delete(address);
        gone.push(client);
      }
    }
    for (const address of wanted) {
      if (!this.#clients.has(address)) {
        this.#clients.set(address, this.#options.connect(address));
      }
    }
    this.#isKnown = true;
    for (const go of this.#waiting.splice(0)) {
      go();
    }
    return gone;
  }

  /**
   * Asks the next scheduler; when it cannot be reached or is going away, the one after it.
   *
   * @throws GrpcError the scheduler's, or Error when none was known in time
   */
  async call<I, O>(
    method: GrpcMethod<I, O>,
    request: I,
    signal: CancelSignal | undefined,
    trace?: TraceContext,
  ): Promise<O> {
    const { clock, random } = this.#options;
    const endMs = clock.monotonicMs() + CALL_TIMEOUT_MS;
    const metadata = traceMetadata(trace);
    if (!this.#isKnown) {
      await this.#firstHosts(signal);
    }
    for (;;) {
      const timeoutMs = endMs - clock.monotonicMs();
      if (timeoutMs <= 0) {
        throw new GrpcError(GRPC_STATUS.DEADLINE_EXCEEDED, "context deadline exceeded");
      }
      try {
        return (await this.#next().unary(method, request, { timeoutMs, signal, metadata })).response;
      } catch (error) {
        if (signal?.aborted === true || this.#closed.signal.aborted || !isForTheNext(error)) {
          throw error;
        }
      }
      await sleep(clock, CALL_RETRY_DELAY_MS * (0.5 + random.next()), signal);
    }
  }

  /** Calls that wait for a scheduler fail. */
  async close(): Promise<void> {
    this.#closed.abort(new Error("the sidecar is stopping"));
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    await Promise.all(clients.map((client) => client.close()));
  }

  #next(): GrpcClient {
    const clients = [...this.#clients.values()];
    this.#turn = (this.#turn + 1) % Math.max(1, clients.length);
    const client = clients[this.#turn];
    if (client === undefined) {
      throw new Error("no scheduler client initialized");
    }
    return client;
  }

  #firstHosts(signal: CancelSignal | undefined): Promise<void> {
    if (this.#waiting.length >= WAITING_CALLS_MAX) {
      throw new GrpcError(
        GRPC_STATUS.RESOURCE_EXHAUSTED,
        `${WAITING_CALLS_MAX} calls wait for a scheduler already; check that --scheduler-host-address names one that can be reached`,
      );
    }
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        timer.cancel();
        signal?.removeEventListener("abort", onAbort);
        this.#closed.signal.removeEventListener("abort", onAbort);
        this.#waiting = this.#waiting.filter((waiting) => waiting !== go);
        settle();
      };
      const go = (): void => end(resolve);
      const onAbort = (): void => end(() => reject(new Error("context canceled")));
      const timer = this.#options.clock.after(CALL_TIMEOUT_MS, () =>
        end(() => reject(new Error("context deadline exceeded"))),
      );
      this.#waiting.push(go);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#closed.signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}

/** Nothing has reached the scheduler, or it cancels what it has because it is stopping. */
function isForTheNext(error: unknown): boolean {
  if (!GrpcError.is(error)) {
    return false;
  }
  return (
    error.code === GRPC_STATUS.CANCELLED || (error.code === GRPC_STATUS.UNAVAILABLE && error.cause instanceof Error)
  );
}
