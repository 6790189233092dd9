import { traceparentOfBinary } from "../../app/trace-headers.ts";
import type { TraceContext } from "../../blocks/pubsub/envelope.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import { traceContextOf } from "../trace-context.ts";

/** The W3C trace context that a call carries, in gRPC's binary form or as text. */
export function callTrace(call: ServerCall): TraceContext | undefined {
  const binary = call.metadata.getBinary("grpc-trace-bin");
  const fromBinary = binary === undefined ? undefined : traceparentOfBinary(Buffer.from(binary).toString("base64"));
  const traceparent = fromBinary ?? call.metadata.get("traceparent");
  return traceparent === undefined ? undefined : traceContextOf(traceparent, call.metadata.get("tracestate"));
}
