import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { systemRandom } from "../../kit/random.ts";
import { HeaderMetadata } from "./metadata.ts";
import { GrpcError } from "./status.ts";
import type { CallOptions, RetryPolicy, UnaryResult } from "./types.ts";

/** One attempt at a call that may be repeated. */
export interface Attempt {
  readonly options: CallOptions;
  /** The answer has begun: whatever comes now is the call's outcome. */
  committed: boolean;
}

/** The part of a delay by which it is shortened or prolonged at random. */
const JITTER = 0.2;
const WHOLE_NUMBER = /^\d{1,9}$/;

/**
 * Repeats a unary call as its policy says (gRPC proposal A6): the deadline is that of all attempts together, a server's
 * `grpc-retry-pushback-ms` replaces the delay or forbids another attempt.
 * @throws GrpcError of the last attempt, also when the time left is shorter than the delay
 */
export async function retryUnary<O>(
  policy: RetryPolicy,
  options: CallOptions,
  call: (attempt: Attempt) => Promise<UnaryResult<O>>,
): Promise<UnaryResult<O>> {
  const startedMs = performance.now();
  for (let attempts = 1; ; attempts += 1) {
    const leftMs = options.timeoutMs === undefined ? undefined : options.timeoutMs - (performance.now() - startedMs);
    const attempt: Attempt = { options: attempts === 1 ? options : again(options, leftMs, attempts), committed: false };
    try {
      return await call(attempt);
    } catch (error) {
      const delayMs = attempt.committed || attempts >= policy.attemptsMax ? -1 : delayOf(policy, attempts, error);
      const spentMs = performance.now() - startedMs;
      if (delayMs < 0 || (options.timeoutMs !== undefined && spentMs + delayMs >= options.timeoutMs)) throw error;
      await pause(delayMs, options.signal);
    }
  }
}

/** Options of a further attempt: what is left of the time, and how many went before. */
function again(options: CallOptions, timeoutMs: number | undefined, attempts: number): CallOptions {
  const metadata = new HeaderMetadata();
  for (const [key, value] of options.metadata?.entries() ?? []) metadata.append(key, value);
  metadata.set("grpc-previous-rpc-attempts", String(attempts - 1));
  return { ...options, timeoutMs, metadata };
}

/** Milliseconds until the next attempt; negative: there is none. */
function delayOf(policy: RetryPolicy, attempts: number, error: unknown): number {
  if (!GrpcError.is(error) || !policy.codes.includes(error.code)) return -1;
  const pushback = error.metadata?.get("grpc-retry-pushback-ms");
  if (pushback !== undefined) return WHOLE_NUMBER.test(pushback) ? Number(pushback) : -1;
  const delayMs = Math.min(policy.delayMs * policy.multiplier ** (attempts - 1), policy.delayMsMax);
  return delayMs * (1 + JITTER * (2 * systemRandom.next() - 1));
}

function pause(ms: number, signal: CancelSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(new GrpcError(GRPC_STATUS.CANCELLED, "context canceled", { cause: signal?.reason }));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener("abort", onAbort);
  });
}
