import { namesTrace, type TraceContext } from "../../kit/trace-context.ts";
import { HeaderMetadata } from "./metadata.ts";

/**
 * What tells another sidecar, or a scheduler, where a call stands in its trace, beside the call's own headers; undefined where that is
 * nowhere. Dapr's sidecars read `traceparent` where there is no `grpc-trace-bin`, and only there the `tracestate` with it.
 */
export function traceMetadata(trace: TraceContext | undefined): HeaderMetadata | undefined {
  if (trace === undefined || !namesTrace(trace)) {
    return undefined;
  }
  const { traceparent, tracestate } = trace;
  return new HeaderMetadata(
    tracestate === "" ? ["traceparent", traceparent] : ["traceparent", traceparent, "tracestate", tracestate],
  );
}
