import { callerTrace } from "../../api/grpc/call-trace.ts";
import { SPAN_KIND, type Tracer } from "../../kit/trace-context.ts";
import type { Interceptor } from "../../net/grpc/server-types.ts";

/** A span for every unary call of a role, named by its full method; streams last as long as their sidecars and have none. */
export function callSpans(tracer: Tracer | undefined): readonly Interceptor[] {
  if (tracer === undefined) {
    return [];
  }
  return [
    {
      begin(call) {
        if (call.kind === "unary") {
          call.trace = tracer.start(call.path, SPAN_KIND.server, callerTrace(call.headers));
        }
      },
      end({ trace }, { code, message }) {
        if (trace === undefined) {
          return;
        }
        trace.set("rpc.system", "grpc");
        trace.set("rpc.grpc.status_code", code);
        if (code !== 0) {
          trace.fail(message);
        }
        trace.end();
      },
    },
  ];
}
