import { baggageFault } from "../../kit/baggage.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import {
  binaryOfContext,
  namesTrace,
  SPAN_KIND,
  type SpanKind,
  type Tracer,
  type TraceSpan,
} from "../../kit/trace-context.ts";
import { headerOf } from "../../net/grpc/metadata.ts";
import type { InterceptedCall, Interceptor } from "../../net/grpc/server-types.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { GrpcStatus } from "../../net/grpc/types.ts";
import { describeUserHeader } from "../span-attributes.ts";
import { callerTrace } from "./call-trace.ts";

const API = "/dapr.proto.runtime.";
const INTERNAL = "/dapr.proto.internals.";
const WORKFLOWS = "/TaskHubSidecarService";
/** Its answer's metadata are the app's. */
const INVOKE_SERVICE = "/dapr.proto.runtime.v1.Dapr/InvokeService";

/**
 * Gives every call a span, named by its full method until a handler knows better, and tells the caller of the API its
 * context in `grpc-trace-bin`. Other sidecars, which do not read it, are spared it.
 *
 * @param appId by which a passed-on call is known to be for this sidecar's app
 */
export function traceCalls(tracer: Tracer, appId: string): Interceptor {
  return {
    begin(call) {
      const { headers, path } = call;
      checkBaggage(call);
      const span = tracer.start(path, kindOf(call, appId), callerTrace(headers));
      call.trace = span;
      if (call.kind === "unary" && path.startsWith(API) && path !== INVOKE_SERVICE && namesTrace(span)) {
        call.responseHeaders.appendList(["grpc-trace-bin", binaryOfContext(span)]);
      }
    },
    end(call, status) {
      const span = call.trace;
      if (span?.recording === true) {
        describeCall(span, call, status);
      }
      span?.end();
    },
  };
}

function kindOf({ path, headers }: InterceptedCall, appId: string): SpanKind {
  if (path.startsWith(INTERNAL) || path.startsWith(WORKFLOWS)) {
    return SPAN_KIND.server;
  }
  if (path.startsWith(API)) {
    return SPAN_KIND.client;
  }
  const callee = headerOf(headers, "dapr-callee-app-id") ?? headerOf(headers, "dapr-app-id");
  return callee === appId ? SPAN_KIND.server : SPAN_KIND.client;
}

/** @throws GrpcError for baggage that breaks the rules */
function checkBaggage(call: InterceptedCall): void {
  if (headerOf(call.headers, "baggage") === undefined) {
    return;
  }
  const baggage = call.metadata.getAll("baggage").join(",");
  const fault = baggageFault(baggage);
  if (fault !== undefined) {
    throw new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, `invalid baggage header: ${fault}`);
  }
  call.responseHeaders.set("baggage", baggage);
}

function describeCall(span: TraceSpan, { headers, path }: InterceptedCall, { code, message }: GrpcStatus): void {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    describeUserHeader(span, headers[index] as string, headers[index + 1] as string);
  }
  if (path.startsWith("/dapr.")) {
    span.set("dapr.protocol", "grpc");
    span.set("dapr.api", path);
  }
  span.set("rpc.grpc.status_code", code);
  if (code !== GRPC_STATUS.OK) {
    span.fail(message);
  }
}
