/**
 * Where a request stands in its trace, as W3C Trace Context writes it: a plain value that blocks hand on without looking
 * into it. `tracestate` is empty where there is none.
 */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate: string;
}

/** What an app is sent where nobody traces and the caller gave no trace; Dapr sends the same. */
export const EMPTY_TRACEPARENT = "00-00000000000000000000000000000000-0000000000000000-00";

/** The context of nobody's trace. */
export const NO_TRACE_CONTEXT: TraceContext = { traceparent: EMPTY_TRACEPARENT, tracestate: "" };

/** A span's kind, by its number in OpenTelemetry's protocol. */
export type SpanKind = 1 | 2 | 3 | 4 | 5;

/** The kinds by name. `client` is also what Dapr calls the spans of its own API and of events on their way to the app. */
export const SPAN_KIND = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;

/** What is said of a span beside its name; numbers are whole. */
export type SpanValue = string | number | boolean;

/** One span while it is under way. Its own context is what is sent on. */
export interface TraceSpan extends TraceContext {
  /** False: nobody will see what is said of it, so that it need not be put together. */
  readonly recording: boolean;
  name: string;
  /** Says something of it; an empty text is left out. */
  set(key: string, value: SpanValue): void;
  /** Says that it has to do with another trace's span as well. */
  link(context: TraceContext): void;
  fail(message: string): void;
  /** Once, at its end. */
  end(): void;
}

/** Where spans begin. Absent: the sampling rate is 0, and headers pass through untouched. */
export interface Tracer {
  /**
   * A span below `parent`; without one the sampler decides about a new trace.
   *
   * @param startMs on the clock that never goes back, where it has begun already
   */
  start(name: string, kind: SpanKind, parent: TraceContext | undefined, startMs?: number): TraceSpan;
}

const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}($|-)/;
/** Characters of version 00, which has nothing behind its flags. */
const TRACEPARENT_LENGTH = 55;
const ZERO_TRACE_ID = "0".repeat(32);
const ZERO_SPAN_ID = "0".repeat(16);
/** Bytes of a `grpc-trace-bin` value: version, then field 0 (16 bytes), field 1 (8 bytes) and field 2 (1 byte). */
const TRACE_BIN_BYTES = 29;

/** Whether a `traceparent` names a trace. Versions to come are read as far as they are like this one (W3C Trace Context 4.3). */
export function isTraceparent(text: string): boolean {
  return TRACEPARENT.test(text) && (text.length === TRACEPARENT_LENGTH || !text.startsWith("00"));
}

/** Whether a context names a trace. What made it has checked its form. */
export function namesTrace({ traceparent }: TraceContext): boolean {
  return traceparent !== EMPTY_TRACEPARENT;
}

/** A caller's trace context; undefined when it sent none that names a trace. A `tracestate` that breaks the rules is left out. */
export function traceContextOf(
  traceparent: string | undefined,
  tracestate: string | undefined,
): TraceContext | undefined {
  if (traceparent === undefined || !isTraceparent(traceparent)) {
    return undefined;
  }
  return {
    traceparent: traceparent.slice(0, TRACEPARENT_LENGTH),
    tracestate: tracestate !== undefined && isTracestate(tracestate) ? tracestate : "",
  };
}

/**
 * The W3C `traceparent` of a base64 `grpc-trace-bin` value (OpenCensus binary format), undefined when it is not one or
 * names no trace.
 */
export function traceparentOfBinary(base64: string): string | undefined {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length < TRACE_BIN_BYTES || bytes[0] !== 0 || bytes[1] !== 0 || bytes[18] !== 1 || bytes[27] !== 2) {
    return undefined;
  }
  const traceId = bytes.toString("hex", 2, 18);
  const spanId = bytes.toString("hex", 19, 27);
  if (traceId === ZERO_TRACE_ID || spanId === ZERO_SPAN_ID) {
    return undefined;
  }
  return `00-${traceId}-${spanId}-${bytes.toString("hex", 28, 29)}`;
}

/** The base64 `grpc-trace-bin` value of a `traceparent`, undefined when that is malformed or names no trace. */
export function binaryOfTraceparent(traceparent: string): string | undefined {
  return isTraceparent(traceparent) ? binaryOf(traceparent) : undefined;
}

/** The same of one that was checked, also where it names no trace. */
export function binaryOfContext({ traceparent }: TraceContext): string {
  return binaryOf(traceparent);
}

function binaryOf(traceparent: string): string {
  const hex = `0000${traceparent.slice(3, 35)}01${traceparent.slice(36, 52)}02${traceparent.slice(53, TRACEPARENT_LENGTH)}`;
  return Buffer.from(hex, "hex").toString("base64");
}

/** W3C Trace Context 3.3.1: a simple key, or one of several tenants; then what is printable but `,` and `=`. */
const TRACESTATE_MEMBER =
  /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
/** Members of one `tracestate`, as the standard says. */
const TRACESTATE_MEMBERS_MAX = 32;
/** Characters that are looked at; the standard lets anybody shorten what is longer than 512. */
const TRACESTATE_LENGTH_MAX = 8192;

/** Whether a `tracestate` keeps the standard's rules; one with a single broken member is dropped as a whole, as there. */
export function isTracestate(text: string): boolean {
  if (text.length > TRACESTATE_LENGTH_MAX) {
    return false;
  }
  const keys = new Set<string>();
  for (const part of text.split(",")) {
    const member = part.replace(/^[ \t]+|[ \t]+$/g, "");
    if (member === "") {
      continue;
    }
    const key = member.slice(0, member.indexOf("="));
    if (!TRACESTATE_MEMBER.test(member) || keys.has(key) || keys.size === TRACESTATE_MEMBERS_MAX) {
      return false;
    }
    keys.add(key);
  }
  return true;
}
