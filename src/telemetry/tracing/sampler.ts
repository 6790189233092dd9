/** Of traces that begin here where the Configuration names no rate, or one that is no number; as in Dapr. */
const RATE_DEFAULT = 1e-4;
const RATE = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A `samplingRate` as Dapr reads it. 0 turns tracing off. */
export function samplingRateOf(text: string): number {
  return RATE.test(text) ? Number(text) : RATE_DEFAULT;
}

/** The sampler in the words of Dapr's log, which tell whether a Configuration was read. */
export function samplerDescription(rate: number): string {
  const root = rate >= 1 ? "AlwaysOnSampler" : `TraceIDRatioBased{${goNumber(Math.max(rate, 0))}}`;
  return `ParentBased{root:${root},remoteParentSampled:AlwaysOnSampler,remoteParentNotSampled:AlwaysOffSampler,localParentSampled:AlwaysOnSampler,localParentNotSampled:AlwaysOffSampler}`;
}

/** Go's `%g`: exponents below -4 are written as such, with two digits. */
function goNumber(value: number): string {
  if (value === 0 || value >= 1e-4) {
    return String(value);
  }
  return value.toExponential().replace(/e-(\d)$/, "e-0$1");
}

/** Hexadecimal digits of a trace id that decide, behind the first sixteen; all that a number holds exactly. */
const DECIDING_DIGITS = 13;
const DECIDING_RANGE = 16 ** DECIDING_DIGITS;

/**
 * Whether a trace that begins here is recorded: by its id, so that every sidecar with the same rate would decide the same
 * (OpenTelemetry's TraceIDRatioBased, with Go's choice of bytes).
 */
export function isSampled(traceId: string, rate: number): boolean {
  if (rate >= 1) {
    return true;
  }
  return rate > 0 && Number.parseInt(traceId.slice(16, 16 + DECIDING_DIGITS), 16) < rate * DECIDING_RANGE;
}
