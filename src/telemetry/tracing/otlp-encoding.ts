import type { SpanValue, TraceContext } from "../../kit/trace-context.ts";
import { ProtoWriter } from "../../wire/codecs/proto-writer.ts";
import { SCOPE_NAME, type TraceResource } from "./resource.ts";
import type { RecordedSpan } from "./span.ts";

/**
 * Requests of `opentelemetry.proto.collector.trace.v1.TraceService/Export` straight from our spans: objects in between cost
 * several times as much, on the thread that serves requests. The numbers are the definitions' (src/wire/proto/opentelemetry).
 */
const RESOURCE_SPANS = 1;
const RESOURCE = 1;
const SCOPE_SPANS = 2;
const RESOURCE_ATTRIBUTES = 1;
const SCOPE = 1;
const SPANS = 2;
const SCOPE_NAME_FIELD = 1;
const SPAN = {
  traceId: 1,
  spanId: 2,
  traceState: 3,
  parentSpanId: 4,
  name: 5,
  kind: 6,
  start: 7,
  end: 8,
  attributes: 9,
  links: 13,
  status: 15,
} as const;
const LINK = { traceId: 1, spanId: 2, traceState: 3 } as const;
const STATUS = { message: 2, code: 3 } as const;
const KEY_VALUE = { key: 1, value: 2 } as const;
const ANY_VALUE = { string: 1, bool: 2, int: 3 } as const;
const STATUS_ERROR = 2;

/** Bytes of a span in a request; a guess. */
const SPAN_BYTES = 640;
const NANOS_PER_MS = 1_000_000;
const LOW_RANGE = 4_294_967_296;

/** One request with all spans of a batch; `offsetMs` takes their times to the Unix epoch. */
export function encodeExport(spans: readonly RecordedSpan[], resource: TraceResource, offsetMs: number): Uint8Array {
  const writer = new ProtoWriter(spans.length * SPAN_BYTES + 256);
  const outer = writer.begin(RESOURCE_SPANS, spans.length * SPAN_BYTES);
  const described = writer.begin(RESOURCE, 128);
  for (const [key, value] of resource) {
    writeAttribute(writer, RESOURCE_ATTRIBUTES, key, value);
  }
  writer.end(described);
  const scoped = writer.begin(SCOPE_SPANS, spans.length * SPAN_BYTES);
  const scope = writer.begin(SCOPE, 20);
  writer.text(SCOPE_NAME_FIELD, SCOPE_NAME);
  writer.end(scope);
  for (const span of spans) {
    const mark = writer.begin(SPANS, SPAN_BYTES);
    writeSpan(writer, span, offsetMs);
    writer.end(mark);
  }
  writer.end(scoped);
  writer.end(outer);
  return writer.finish();
}

function writeSpan(writer: ProtoWriter, span: RecordedSpan, offsetMs: number): void {
  writer.hexOctets(SPAN.traceId, span.traceId);
  writer.hexOctets(SPAN.spanId, span.spanId);
  writer.text(SPAN.traceState, span.tracestate);
  if (span.parentId !== "") {
    writer.hexOctets(SPAN.parentSpanId, span.parentId);
  }
  writer.text(SPAN.name, span.name);
  writer.uint(SPAN.kind, span.kind);
  writeTime(writer, SPAN.start, span.startMs + offsetMs);
  writeTime(writer, SPAN.end, span.endMs + offsetMs);
  const { attributes } = span;
  for (let index = 0; index + 1 < attributes.length; index += 2) {
    writeAttribute(writer, SPAN.attributes, attributes[index] as string, attributes[index + 1] as SpanValue);
  }
  for (const link of span.links) {
    writeLink(writer, link);
  }
  if (span.failure !== undefined) {
    const status = writer.begin(SPAN.status, span.failure.length);
    writer.text(STATUS.message, span.failure);
    writer.uint(STATUS.code, STATUS_ERROR);
    writer.end(status);
  }
}

/** Nanoseconds since 1970 are more than a double holds exactly: whole milliseconds and their fractions are taken apart. */
function writeTime(writer: ProtoWriter, field: number, ms: number): void {
  const wholeMs = Math.floor(ms);
  const fraction = Math.round((ms - wholeMs) * 1_000) * 1_000;
  // wholeMs * 10^6 by halves of 32 bits: each product stays below 2^53.
  const highMs = Math.floor(wholeMs / LOW_RANGE);
  const lowMs = wholeMs % LOW_RANGE;
  const lowProduct = (lowMs % 65_536) * NANOS_PER_MS + fraction;
  const middleProduct = Math.floor(lowMs / 65_536) * NANOS_PER_MS;
  const low = lowProduct + (middleProduct % 65_536) * 65_536;
  const high = highMs * NANOS_PER_MS + Math.floor(middleProduct / 65_536) + Math.floor(low / LOW_RANGE);
  writer.fixed64(field, high % LOW_RANGE, low % LOW_RANGE);
}

function writeLink(writer: ProtoWriter, { traceparent, tracestate }: TraceContext): void {
  const mark = writer.begin(SPAN.links, 48);
  writer.hexOctets(LINK.traceId, traceparent.slice(3, 35));
  writer.hexOctets(LINK.spanId, traceparent.slice(36, 52));
  writer.text(LINK.traceState, tracestate);
  writer.end(mark);
}

function writeAttribute(writer: ProtoWriter, field: number, key: string, value: SpanValue): void {
  const mark = writer.begin(field, 48);
  writer.text(KEY_VALUE.key, key);
  const any = writer.begin(KEY_VALUE.value, typeof value === "string" ? value.length : 4);
  if (typeof value === "string") {
    writer.anyText(ANY_VALUE.string, value);
  } else if (typeof value === "boolean") {
    if (value) {
      writer.uint(ANY_VALUE.bool, 1);
    } else {
      writer.zero(ANY_VALUE.bool);
    }
  } else if (value === 0) {
    writer.zero(ANY_VALUE.int);
  } else {
    writer.int64(ANY_VALUE.int, BigInt(value));
  }
  writer.end(any);
  writer.end(mark);
}
