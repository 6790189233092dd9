import { SPAN_KIND } from "../../kit/trace-context.ts";
import { SCOPE_NAME, type TraceResource } from "./resource.ts";
import type { RecordedSpan } from "./span.ts";

const KINDS: Readonly<Record<number, string>> = {
  [SPAN_KIND.server]: "SERVER",
  [SPAN_KIND.client]: "CLIENT",
  [SPAN_KIND.producer]: "PRODUCER",
  [SPAN_KIND.consumer]: "CONSUMER",
};

/**
 * Spans as Zipkin's API version 2 takes them (`POST /api/v2/spans`), with the tags that OpenTelemetry's rules for Zipkin and
 * Go's exporter give them; names in lower case, as Zipkin wants them. Zipkin has no links.
 */
export function encodeZipkin(spans: readonly RecordedSpan[], resource: TraceResource, offsetMs: number): string {
  return JSON.stringify(spans.map((span) => zipkinSpan(span, resource, offsetMs)));
}

function zipkinSpan(span: RecordedSpan, resource: TraceResource, offsetMs: number): object {
  return {
    traceId: span.traceId,
    ...(span.parentId === "" ? {} : { parentId: span.parentId }),
    id: span.spanId,
    name: span.name.toLowerCase(),
    ...(KINDS[span.kind] === undefined ? {} : { kind: KINDS[span.kind] }),
    timestamp: Math.round((span.startMs + offsetMs) * 1_000),
    // Zero would mean that it has not ended.
    duration: Math.max(1, Math.round((span.endMs - span.startMs) * 1_000)),
    localEndpoint: { serviceName: (resource.get("service.name") ?? "").toLowerCase() },
    tags: tagsOf(span, resource),
  };
}

function tagsOf({ attributes, failure }: RecordedSpan, resource: TraceResource): Record<string, string> {
  const tags: Record<string, string> = {};
  for (let index = 0; index + 1 < attributes.length; index += 2) {
    tags[String(attributes[index])] = String(attributes[index + 1]);
  }
  for (const [key, value] of resource) {
    tags[key] = value;
  }
  if (failure !== undefined) {
    tags["otel.status_code"] = "ERROR";
    tags["error"] = failure;
  }
  tags["otel.scope.name"] = SCOPE_NAME;
  return tags;
}
