import { fromBinary, toJson } from "@bufbuild/protobuf";
import { ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import { expect, it } from "vitest";
import { ExportTraceServiceRequestSchema } from "../../wire/gen/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import { encodeExport } from "./otlp-encoding.ts";
import { finishedSpan, OTHER_SPAN } from "./spans.fixture.ts";
import type { RecordedSpan } from "./span.ts";

/** 2026-11-22T15:00:00Z less the monotonic second at which the spans of these tests begin. */
const OFFSET_MS = 1_795_359_599_000;
const RESOURCE = new Map([
  ["service.name", "orders"],
  ["note", "größer"],
]);

function decoded(bytes: Uint8Array): unknown {
  return toJson(ExportTraceServiceRequestSchema, fromBinary(ExportTraceServiceRequestSchema, bytes));
}

function spans(): RecordedSpan[] {
  const plain = finishedSpan("/v1.0/state/store/key");
  const rich = finishedSpan("pubsub/plächter", { parentId: "b7ad6b7169203331", tracestate: "shop=1" });
  rich.set("text", "x".repeat(5_000));
  rich.set("empty", "");
  rich.set("unicode", "ä€😀");
  rich.set("zero", 0);
  rich.set("code", 404);
  rich.set("negative", -3);
  rich.set("yes", true);
  rich.set("no", false);
  rich.link(OTHER_SPAN);
  rich.fail("Code(404): Not Found");
  return [plain, rich];
}

it("says in OTLP what the spans say", () => {
  expect(decoded(encodeExport(spans(), RESOURCE, OFFSET_MS))).toMatchObject({
    resourceSpans: [
      {
        resource: {
          attributes: [
            { key: "service.name", value: { stringValue: "orders" } },
            { key: "note", value: { stringValue: "größer" } },
          ],
        },
        scopeSpans: [
          {
            scope: { name: "dapr-diagnostics" },
            spans: [
              {
                traceId: Buffer.from("4bf92f3577b34da6a3ce929d0e0e4736", "hex").toString("base64"),
                spanId: Buffer.from("00f067aa0ba902b7", "hex").toString("base64"),
                name: "/v1.0/state/store/key",
                kind: "SPAN_KIND_CLIENT",
                startTimeUnixNano: "1795359600000250000",
                endTimeUnixNano: "1795359600003500000",
              },
              {
                parentSpanId: Buffer.from("b7ad6b7169203331", "hex").toString("base64"),
                traceState: "shop=1",
                name: "pubsub/plächter",
                attributes: [
                  { key: "text", value: { stringValue: "x".repeat(4_096) } },
                  { key: "unicode", value: { stringValue: "ä€😀" } },
                  { key: "zero", value: { intValue: "0" } },
                  { key: "code", value: { intValue: "404" } },
                  { key: "negative", value: { intValue: "-3" } },
                  { key: "yes", value: { boolValue: true } },
                  { key: "no", value: { boolValue: false } },
                ],
                links: [{ spanId: Buffer.from("b7ad6b7169203331", "hex").toString("base64"), traceState: "a=1" }],
                status: { message: "Code(404): Not Found", code: "STATUS_CODE_ERROR" },
              },
            ],
          },
        ],
      },
    ],
  });
});

const ORACLE_RESOURCE = { attributes: Object.fromEntries(RESOURCE) };
const ORACLE_SCOPE = { name: "dapr-diagnostics" };

/** The same span in the form of OpenTelemetry's own library, whose serialiser is the oracle. */
function readable(span: RecordedSpan): Record<string, unknown> {
  const attributes: Record<string, unknown> = {};
  for (let index = 0; index < span.attributes.length; index += 2) {
    attributes[String(span.attributes[index])] = span.attributes[index + 1];
  }
  const context = { traceId: span.traceId, spanId: span.spanId, traceFlags: 1, ...stateOf(span.tracestate) };
  return {
    name: span.name,
    kind: span.kind - 1,
    spanContext: () => context,
    ...(span.parentId === "" ? {} : { parentSpanContext: { ...context, spanId: span.parentId } }),
    startTime: hrTime(span.startMs),
    endTime: hrTime(span.endMs),
    status: span.failure === undefined ? { code: 0 } : { code: 2, message: span.failure },
    attributes,
    links: span.links.map(({ traceparent, tracestate }) => ({
      context: {
        traceId: traceparent.slice(3, 35),
        spanId: traceparent.slice(36, 52),
        traceFlags: 1,
        ...stateOf(tracestate),
      },
      attributes: {},
    })),
    events: [],
    resource: ORACLE_RESOURCE,
    instrumentationScope: ORACLE_SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function stateOf(tracestate: string): object {
  return tracestate === "" ? {} : { traceState: { serialize: () => tracestate } };
}

function hrTime(ms: number): [number, number] {
  const micros = Math.round((ms + OFFSET_MS) * 1_000);
  return [Math.floor(micros / 1_000_000), (micros % 1_000_000) * 1_000];
}

/** What we leave out: flags, which say what a span's being here says already, and a status that says nothing. */
function withoutFlags(json: unknown): unknown {
  const isLeftOut = (key: string, value: unknown): boolean =>
    key === "flags" || (key === "status" && Object.keys(value as object).length === 0);
  return JSON.parse(JSON.stringify(json, (key, value: unknown) => (isLeftOut(key, value) ? undefined : value)));
}

it("says what OpenTelemetry's own library says of the same spans", () => {
  const oracle = ProtobufTraceSerializer.serializeRequest(spans().map(readable) as never) ?? new Uint8Array();
  expect(withoutFlags(decoded(encodeExport(spans(), RESOURCE, OFFSET_MS)))).toEqual(withoutFlags(decoded(oracle)));
});
