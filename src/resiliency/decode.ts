import { compileCel, type CelProgram } from "../kit/cel.ts";
import { InvalidDurationError, parseGoDuration } from "../kit/duration.ts";
import { errorMessage } from "../kit/error-message.ts";
import { goQuote } from "../kit/go-quote.ts";
import type { BackoffRule } from "./backoff.ts";
import type { BreakerRule } from "./circuit-breaker.ts";
import type { RetryRule } from "./compiled-policy.ts";
import type { CircuitBreakerDocument, RetryDocument } from "./document.ts";
import { ANY_STATUS, parseStatusMatch } from "./status-match.ts";

/** A policy cannot be used; the message is Dapr's. */
export class PolicyDecodeError extends Error {
  override readonly name = "PolicyDecodeError";
}

/** The longest that Node's timers can wait; what is longer waits as long as this, which is more than 24 days. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

const SECOND_MS = 1_000;
const RETRY_DURATION_MS = 5 * SECOND_MS;
const BREAKER_TIMEOUT_MS = 60 * SECOND_MS;

/** What a retry policy is made of where it says nothing; `duration` has no part in it, as in Dapr. */
const EXPONENTIAL = {
  policy: "exponential",
  initialIntervalMs: 500,
  multiplier: 1.5,
  randomizationFactor: 0.5,
  intervalMaxMs: 60 * SECOND_MS,
  elapsedMaxMs: 15 * 60 * SECOND_MS,
} as const;

/**
 * @returns milliseconds; undefined: no timeout (zero or less)
 * @throws PolicyDecodeError
 */
export function decodeTimeout(name: string, text: string): number | undefined {
  try {
    const ms = wholeNumber(text) ?? parseGoDuration(text);
    return ms > 0 ? Math.min(ms, TIMER_MS_MAX) : undefined;
  } catch (cause) {
    if (!(cause instanceof InvalidDurationError)) {
      throw cause;
    }
    throw new PolicyDecodeError(`invalid duration ${goQuote(name)}, ${text}: ${cause.message}`, { cause });
  }
}

/** @throws PolicyDecodeError, StatusPatternError */
export function decodeRetry(name: string, document: RetryDocument): RetryRule {
  const faults: string[] = [];
  const durationMs = decodeDuration("duration", document.duration, RETRY_DURATION_MS, faults);
  const intervalMaxMs = decodeDuration("maxInterval", document.maxInterval, EXPONENTIAL.intervalMaxMs, faults);
  const policy = decodeBackoffPolicy(document.policy, faults);
  refuse(name, faults);
  const retries = document.maxRetries ?? -1;
  const retriesMax = retries < 0 ? undefined : retries;
  const backoff: BackoffRule =
    policy === "constant"
      ? { policy, intervalMs: Math.max(0, durationMs), retriesMax }
      : { ...EXPONENTIAL, intervalMaxMs, retriesMax };
  const { httpStatusCodes, gRPCStatusCodes } = document.matching ?? {};
  const match =
    document.matching === undefined ? ANY_STATUS : parseStatusMatch(httpStatusCodes ?? "", gRPCStatusCodes ?? "");
  return { backoff, match };
}

/** @throws PolicyDecodeError */
export async function decodeBreaker(name: string, document: CircuitBreakerDocument): Promise<BreakerRule> {
  const faults: string[] = [];
  const intervalMs = decodeDuration("interval", document.interval, 0, faults);
  const timeoutMs = decodeDuration("timeout", document.timeout, 0, faults);
  const requests = document.maxRequests ?? 0;
  if (requests < 0) {
    faults.push(`cannot parse 'maxRequests', ${requests}.000000 overflows uint`);
  }
  const trip = await decodeTrip(document.trip, faults);
  refuse(name, faults);
  return {
    name,
    requestsMax: requests === 0 ? 1 : requests,
    intervalMs: Math.max(0, intervalMs),
    timeoutMs: timeoutMs > 0 ? timeoutMs : BREAKER_TIMEOUT_MS,
    trip,
  };
}

/** Texts as Dapr's decoder for maps words them. */
function refuse(name: string, faults: string[]): void {
  if (faults.length > 0) {
    const list = faults.sort().map((fault) => `* ${fault}`);
    throw new PolicyDecodeError(
      `invalid retry configuration ${goQuote(name)}: ${faults.length} error(s) decoding:\n\n${list.join("\n")}`,
    );
  }
}

function decodeDuration(field: string, text: string | undefined, absentMs: number, faults: string[]): number {
  if (text === undefined || text === "") {
    return absentMs;
  }
  try {
    return Math.min(wholeNumber(text) ?? parseGoDuration(text), TIMER_MS_MAX);
  } catch (error) {
    if (!(error instanceof InvalidDurationError)) {
      throw error;
    }
    faults.push(`error decoding '${field}': invalid duration ${goQuote(text)}`);
    return absentMs;
  }
}

function decodeBackoffPolicy(text: string | undefined, faults: string[]): BackoffRule["policy"] {
  const policy = (text ?? "").toLowerCase();
  if (policy === "" || policy === "constant") {
    return "constant";
  }
  if (policy !== "exponential") {
    faults.push(
      `error decoding 'policy': invalid PolicyType ${goQuote(text ?? "")}: unexpected back off policy type: ${text}`,
    );
  }
  return "exponential";
}

async function decodeTrip(text: string | undefined, faults: string[]): Promise<CelProgram | undefined> {
  if (text === undefined || text === "") {
    return undefined;
  }
  try {
    const [program] = await compileCel([text]);
    return program;
  } catch (error) {
    faults.push(`error decoding 'trip': invalid Expr ${goQuote(text)}: ${errorMessage(error)}`);
    return undefined;
  }
}

const WHOLE_NUMBER = /^[+-]?\d+$/;

/** A number without a unit counts milliseconds. */
function wholeNumber(text: string): number | undefined {
  return WHOLE_NUMBER.test(text) ? Number(text) : undefined;
}
