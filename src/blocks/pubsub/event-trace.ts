import type { RequestMetadata } from "../../components/spi/request-metadata.ts";
import { binaryOfTraceparent, EMPTY_TRACEPARENT } from "../../kit/trace-context.ts";
import type { EventFields } from "./routing.ts";

/** The app gets the event's trace context beside the metadata, for gRPC apps in binary too. Attributes that are no text are passed over. */
export function withEventTrace(metadata: RequestMetadata, fields: EventFields): RequestMetadata {
  const traced: Record<string, string> = { ...metadata };
  const id = fields["traceparent"] ?? fields["traceid"];
  const traceparent = typeof id === "string" && id !== "" ? id : EMPTY_TRACEPARENT;
  const binary = binaryOfTraceparent(traceparent);
  traced["traceparent"] = binary === undefined ? EMPTY_TRACEPARENT : traceparent;
  const state = fields["tracestate"];
  if (binary !== undefined) {
    traced["grpc-trace-bin"] = binary;
    if (typeof state === "string" && state !== "") {
      traced["tracestate"] = state;
    }
  }
  return traced;
}
