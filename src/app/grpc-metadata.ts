import { binaryOfContext, binaryOfTraceparent, type TraceContext, traceparentOfBinary } from "../kit/trace-context.ts";
import { isReservedHeader } from "../net/grpc/metadata.ts";
import type { HeaderList } from "../net/http/types.ts";
import { isPermanentHttpHeader } from "./header-rules.ts";

/** What gRPC lets through as a key and as a value (gRPC over HTTP/2, "Custom-Metadata"). */
const KEY = /^[0-9a-z_.-]+$/;
const ASCII_VALUE = /^[\x20-\x7e]*$/;

/**
 * gRPC metadata, as the flat list that HTTP/2 carries, of a call's or a reply's headers. HTTP's permanent headers get the
 * prefix `dapr-`; trace context goes out both as `traceparent` and `grpc-trace-bin`; what cannot be metadata is left out.
 *
 * @param fromHttp the headers are an HTTP caller's or app's, not metadata already
 * @param trace takes the place of the trace context in the headers
 */
export function metadataHeadersOf(list: HeaderList, fromHttp: boolean, trace?: TraceContext): string[] {
  const out: string[] = [];
  let traceparent: string | undefined;
  let tracestate: string | undefined;
  let traceBin: string | undefined;
  for (let index = 0; index + 1 < list.length; index += 2) {
    const lower = (list[index] as string).toLowerCase();
    const value = list[index + 1] as string;
    if (lower === "traceparent") {
      traceparent = value;
    } else if (lower === "tracestate") {
      tracestate = value;
    } else if (lower === "grpc-trace-bin") {
      traceBin = value;
    } else if (lower !== "destination-app-id") {
      const key = fromHttp && isPermanentHttpHeader(lower) ? `dapr-${lower}` : lower;
      if (!isReservedHeader(key) && key !== "user-agent" && KEY.test(key) && ASCII_VALUE.test(value)) {
        out.push(key, value);
      }
    }
  }
  if (trace !== undefined) {
    out.push("traceparent", trace.traceparent, "grpc-trace-bin", binaryOfContext(trace));
    if (trace.tracestate !== "") {
      out.push("tracestate", trace.tracestate);
    }
    return out;
  }
  traceparent = traceBin === undefined ? traceparent : (traceparentOfBinary(traceBin) ?? traceparent);
  const bin = traceBin ?? (traceparent === undefined ? undefined : binaryOfTraceparent(traceparent));
  if (traceparent !== undefined && bin !== undefined) {
    out.push("traceparent", traceparent, "grpc-trace-bin", bin);
    if (tracestate !== undefined) {
      out.push("tracestate", tracestate);
    }
  }
  return out;
}
