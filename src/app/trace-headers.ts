/** Bytes of a `grpc-trace-bin` value: version, then field 0 (16 bytes), field 1 (8 bytes) and field 2 (1 byte). */
const TRACE_BIN_BYTES = 29;

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
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) {
    return undefined;
  }
  return `00-${traceId}-${spanId}-${bytes.toString("hex", 28, 29)}`;
}

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;

/** The base64 `grpc-trace-bin` value of a `traceparent`, undefined when that is malformed or names no trace. */
export function binaryOfTraceparent(traceparent: string): string | undefined {
  const match = TRACEPARENT.exec(traceparent);
  const [, traceId = "", spanId = "", flags = ""] = match ?? [];
  if (match === null || /^0+$/.test(traceId) || /^0+$/.test(spanId)) {
    return undefined;
  }
  return Buffer.from(`0000${traceId}01${spanId}02${flags}`, "hex").toString("base64");
}
