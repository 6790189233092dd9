import { binaryOfContext, namesTrace, type TraceContext } from "../../kit/trace-context.ts";
import type { HeaderList } from "../../net/http/types.ts";

/** What each hop says for itself, and what only this sidecar was told. */
const OWN = ["te", "user-agent", "grpc-timeout", "dapr-app-id", "dapr-api-token"];

/** What only a sidecar may say of who calls whom. */
const IDENTITY = ["dapr-caller-app-id", "dapr-caller-namespace", "dapr-callee-app-id"];

export const DROPPED_FROM_APPS: ReadonlySet<string> = new Set([...OWN, ...IDENTITY]);
export const DROPPED_FROM_PEERS: ReadonlySet<string> = new Set(OWN);

const TRACE: ReadonlySet<string> = new Set(["traceparent", "tracestate", "grpc-trace-bin"]);

/**
 * The headers of a call that is passed on, without some.
 *
 * @param trace takes the place of the trace context in the headers, where it names a trace
 */
export function passedHeaders(
  headers: HeaderList,
  dropped: ReadonlySet<string>,
  trace: TraceContext | undefined,
): string[] {
  if (trace !== undefined && namesTrace(trace)) {
    return tracedHeaders(passedHeaders(headers, dropped, undefined), trace);
  }
  const passed: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    if (!dropped.has(name)) {
      passed.push(name, headers[index + 1] as string);
    }
  }
  return passed;
}

function tracedHeaders(headers: HeaderList, trace: TraceContext): string[] {
  const traced = passedHeaders(headers, TRACE, undefined);
  traced.push("traceparent", trace.traceparent, "grpc-trace-bin", binaryOfContext(trace));
  if (trace.tracestate !== "") {
    traced.push("tracestate", trace.tracestate);
  }
  return traced;
}
