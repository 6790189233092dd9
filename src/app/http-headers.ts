import { type TraceContext, traceparentOfBinary } from "../kit/trace-context.ts";
import type { HeaderList } from "../net/http/types.ts";
import { httpNameOfMetadata, isHopByHop, nominatedByConnection } from "./header-rules.ts";
import type { InvokeCall, InvokeReply } from "./types.ts";

/** The type of a message body that carries a protobuf type URL. */
export const PROTOBUF_CONTENT_TYPE = "application/x-protobuf";

/** Never copied: framing belongs to each hop, the type travels beside the headers, the rest is for sidecars only. */
const NOT_FORWARDED: ReadonlySet<string> = new Set([
  "content-type",
  "content-length",
  "destination-app-id",
  "host",
  "expect",
]);

/** The content type of a call's or a reply's body: typed data is always protobuf. */
export function contentTypeOf(message: InvokeCall | InvokeReply): string {
  return message.typeUrl === undefined || message.typeUrl === "" ? message.contentType : PROTOBUF_CONTENT_TYPE;
}

/**
 * Headers of the request to an HTTP app: end-to-end headers only, gRPC's own names prefixed, binary metadata left out.
 *
 * @param appToken sent as `dapr-api-token`, in place of any other; empty: none
 */
export function requestHeadersOf(call: InvokeCall, appToken: string): string[] {
  const headers = endToEnd(call.headers, call.origin === "grpc", call.trace);
  const contentType = contentTypeOf(call);
  if (contentType !== "") {
    headers.push("content-type", contentType);
  }
  if (appToken === "") {
    return headers;
  }
  return [...without(headers, "dapr-api-token"), "dapr-api-token", appToken];
}

/** Headers of the answer to an HTTP caller, content type included. */
export function responseHeadersOf(reply: InvokeReply): string[] {
  const headers = endToEnd(reply.headers, reply.status.kind === "grpc");
  const contentType = contentTypeOf(reply);
  if (contentType !== "") {
    headers.push("content-type", contentType);
  }
  return headers;
}

/** An HTTP app's response headers without those of its own hop and without a length, which may be stale by now. */
export function replyHeadersOf(response: HeaderList): string[] {
  const nominated = nominatedByConnection(response);
  const kept: string[] = [];
  for (let index = 0; index + 1 < response.length; index += 2) {
    const name = response[index] as string;
    const lower = name.toLowerCase();
    if (lower !== "content-length" && !isHopByHop(lower) && nominated?.has(lower) !== true) {
      kept.push(name, response[index + 1] as string);
    }
  }
  return kept;
}

function endToEnd(list: HeaderList, fromGrpc: boolean, trace?: TraceContext): string[] {
  const nominated = nominatedByConnection(list);
  const kept: string[] = [];
  let traceBin: string | undefined;
  let baggage = false;
  for (let index = 0; index + 1 < list.length; index += 2) {
    const lower = (list[index] as string).toLowerCase();
    const value = list[index + 1] as string;
    if (trace !== undefined && (lower === "traceparent" || lower === "tracestate")) {
      // The span's own follow.
    } else if (lower.endsWith("-bin")) {
      traceBin = lower === "grpc-trace-bin" ? value : traceBin;
    } else if (lower === "baggage") {
      if (!baggage) {
        kept.push(lower, value);
      }
      baggage = true;
    } else if (!NOT_FORWARDED.has(lower) && !isHopByHop(lower) && nominated?.has(lower) !== true) {
      kept.push(fromGrpc ? httpNameOfMetadata(lower) : lower, value);
    }
  }
  if (trace !== undefined) {
    kept.push("traceparent", trace.traceparent);
    if (trace.tracestate !== "") {
      kept.push("tracestate", trace.tracestate);
    }
    return kept;
  }
  const traceparent = fromGrpc && traceBin !== undefined ? traceparentOfBinary(traceBin) : undefined;
  return traceparent === undefined ? kept : [...without(kept, "traceparent"), "traceparent", traceparent];
}

function without(list: string[], lowerName: string): string[] {
  if (!list.includes(lowerName)) {
    return list;
  }
  const kept: string[] = [];
  for (let index = 0; index + 1 < list.length; index += 2) {
    if (list[index] !== lowerName) {
      kept.push(list[index] as string, list[index + 1] as string);
    }
  }
  return kept;
}
