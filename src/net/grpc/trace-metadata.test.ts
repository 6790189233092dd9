import { expect, it } from "vitest";
import { NO_TRACE_CONTEXT } from "../../kit/trace-context.ts";
import { traceMetadata } from "./trace-metadata.ts";

const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

it("tells another sidecar the trace, and nothing where there is none, so that its head is that of every call", () => {
  expect(traceMetadata({ traceparent: TRACEPARENT, tracestate: "" })?.toList()).toEqual(["traceparent", TRACEPARENT]);
  const withState = traceMetadata({ traceparent: TRACEPARENT, tracestate: "a=b" });
  expect(withState?.toList()).toEqual(["traceparent", TRACEPARENT, "tracestate", "a=b"]);
  expect([traceMetadata(undefined), traceMetadata(NO_TRACE_CONTEXT)]).toEqual([undefined, undefined]);
});
