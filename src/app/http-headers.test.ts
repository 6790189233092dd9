import { expect, test } from "vitest";
import { metadataHeadersOf } from "./grpc-metadata.ts";
import { replyHeadersOf, requestHeadersOf, responseHeadersOf } from "./http-headers.ts";
import { binaryOfTraceparent, EMPTY_TRACEPARENT, traceparentOfBinary } from "../kit/trace-context.ts";
import { RecordingTracer } from "../kit/recording-tracer.fixture.ts";
import type { InvokeCall, InvokeReply } from "./types.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function call(headers: readonly string[], more: Partial<InvokeCall> = {}): InvokeCall {
  return {
    method: "m",
    verb: "GET",
    query: "",
    headers,
    origin: "http",
    contentType: "",
    body: new Uint8Array(0),
    ...more,
  };
}

test("hop-by-hop headers, those that Connection names, framing and the sidecars' own do not reach the app", () => {
  const headers = [
    "Connection",
    "keep-alive, X-Hop",
    "X-Hop",
    "1",
    "TE",
    "trailers",
    "Upgrade",
    "h2c",
    "Proxy-Authorization",
    "x",
    "Host",
    "h",
    "Content-Length",
    "3",
    "Content-Type",
    "old",
    "destination-app-id",
    "d",
    "X-Kept",
    "2",
  ];
  expect(requestHeadersOf(call(headers, { contentType: "a/b" }), "")).toEqual(["x-kept", "2", "content-type", "a/b"]);
});

test("the app token replaces what a caller sent", () => {
  expect(requestHeadersOf(call(["dapr-api-token", "theirs", "x", "1"]), "ours")).toEqual([
    "x",
    "1",
    "dapr-api-token",
    "ours",
  ]);
});

test("metadata becomes headers: reserved names prefixed, binaries dropped, the trace context translated", () => {
  const bin = binaryOfTraceparent(TRACEPARENT) ?? "";
  const headers = requestHeadersOf(
    call(
      [
        "content-type",
        "application/grpc",
        ":authority",
        "a",
        "grpc-timeout",
        "1S",
        "x-bin",
        "AAA=",
        "grpc-trace-bin",
        bin,
        "traceparent",
        "old",
        "m",
        "1",
      ],
      { origin: "grpc", typeUrl: "t" },
    ),
    "",
  );
  expect(headers).toEqual([
    "dapr-authority",
    "a",
    "dapr-grpc-timeout",
    "1S",
    "m",
    "1",
    "traceparent",
    TRACEPARENT,
    "content-type",
    "application/x-protobuf",
  ]);
});

test("of baggage only the first value goes on", () => {
  expect(requestHeadersOf(call(["baggage", "a=1", "Baggage", "b=2"]), "")).toEqual(["baggage", "a=1"]);
});

test("an app's answer loses its hop's headers and its length", () => {
  expect(
    replyHeadersOf([
      "Connection",
      "x-hop",
      "X-Hop",
      "1",
      "Content-Length",
      "999",
      "Transfer-Encoding",
      "chunked",
      "Set-Cookie",
      "a",
      "Set-Cookie",
      "b",
    ]),
  ).toEqual(["Set-Cookie", "a", "Set-Cookie", "b"]);
});

test("an answer's content type is the message's, or protobuf for typed data", () => {
  const reply: InvokeReply = {
    status: { kind: "http", code: 200 },
    headers: ["Content-Type", "old", "x", "1"],
    trailers: [],
    contentType: "text/plain",
    body: new Uint8Array(0),
  };
  expect(responseHeadersOf(reply)).toEqual(["x", "1", "content-type", "text/plain"]);
  expect(responseHeadersOf({ ...reply, typeUrl: "t" })).toEqual(["x", "1", "content-type", "application/x-protobuf"]);
});

test("HTTP headers become metadata: permanent ones prefixed, what gRPC cannot carry left out", () => {
  const list = metadataHeadersOf(
    ["Accept", "a", "Content-Length", "1", "User-Agent", "u", "X-Mine", "1", "x~y", "2", "x-u", "é", "TE", "trailers"],
    true,
  );
  expect(list).toEqual(["dapr-accept", "a", "dapr-content-length", "1", "x-mine", "1"]);
  expect(metadataHeadersOf(["accept", "a"], false)).toEqual(["accept", "a"]);
});

test("the trace context goes out in both forms", () => {
  const bin = binaryOfTraceparent(TRACEPARENT) ?? "";
  expect(traceparentOfBinary(bin)).toBe(TRACEPARENT);
  expect(metadataHeadersOf(["traceparent", TRACEPARENT, "tracestate", "s=1"], true)).toEqual([
    "traceparent",
    TRACEPARENT,
    "grpc-trace-bin",
    bin,
    "tracestate",
    "s=1",
  ]);
  expect(metadataHeadersOf(["traceparent", "nonsense"], true)).toEqual([]);
  expect(traceparentOfBinary("AAAA")).toBeUndefined();
});

test("a call's span takes the place of the trace in its headers, whatever the app speaks", () => {
  const parent = { traceparent: TRACEPARENT, tracestate: "a=b" };
  const trace = new RecordingTracer().start("s", 3, parent);
  const headers = ["TraceParent", TRACEPARENT, "tracestate", "old=1", "grpc-trace-bin", "AAAA", "x", "1"];
  const own = ["traceparent", trace.traceparent];
  expect(requestHeadersOf(call(headers, { trace }), "")).toEqual(["x", "1", ...own, "tracestate", "a=b"]);
  const binary = binaryOfTraceparent(trace.traceparent);
  expect(metadataHeadersOf(headers, true, trace)).toEqual([
    "x",
    "1",
    ...own,
    "grpc-trace-bin",
    binary,
    "tracestate",
    "a=b",
  ]);
});

test("a context of zeros goes out as it is, so that the app finds the header", () => {
  const trace = { traceparent: EMPTY_TRACEPARENT, tracestate: "" };
  const zeros = Buffer.from(`0000${"0".repeat(32)}01${"0".repeat(16)}0200`, "hex").toString("base64");
  expect(metadataHeadersOf([], true, trace)).toEqual(["traceparent", EMPTY_TRACEPARENT, "grpc-trace-bin", zeros]);
});
