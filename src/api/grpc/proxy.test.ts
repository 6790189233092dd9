import { expect, test } from "vitest";
import type { ProxiedCall } from "../../blocks/invocation/call-proxy.ts";
import { RecordingTracer } from "../../kit/recording-tracer.fixture.ts";
import { binaryOfTraceparent } from "../../kit/trace-context.ts";
import type { PassingCall } from "../../net/grpc/types.ts";
import { proxyFromPeers } from "../peer/proxy.ts";
import { proxyUnknown } from "./proxy.ts";

function callWith(...headers: string[]): PassingCall {
  return { headers } as unknown as PassingCall;
}

/** What a door hands on of a call. */
function handedOn(door: "api" | "peer", ...headers: string[]) {
  const seen: { target: string; call: ProxiedCall }[] = [];
  const take = async (target: string, call: ProxiedCall): Promise<void> => void seen.push({ target, call });
  const handler = door === "api" ? proxyUnknown({ pass: take }) : proxyFromPeers({ passLocal: take });
  void handler(callWith(...headers));
  return { target: seen[0]?.target, headers: seen[0]?.call.headers, isStream: seen[0]?.call.isStream };
}

test.each(["api", "peer"] as const)("%s: dapr-callee-app-id names the app, else dapr-app-id", (door) => {
  expect(handedOn(door, "dapr-app-id", "b", "dapr-callee-app-id", "a").target).toBe("a");
  expect(handedOn(door, "dapr-app-id", "b").target).toBe("b");
  expect(() => handedOn(door, "x", "y")).toThrow(
    "cannot proxy request: missing dapr-callee-app-id or dapr-app-id metadata",
  );
});

const COMMON = ["content-type", "application/grpc+proto", "grpc-encoding", "zstd", "x-mine", "1", "x-bin", "AA=="];

test("an app's call keeps what is the call's, and loses tokens, the hop's own and claims to be somebody", () => {
  const hop = ["te", "trailers", "user-agent", "me", "grpc-timeout", "1S", "dapr-api-token", "t"];
  const claims = ["dapr-caller-app-id", "admin", "dapr-caller-namespace", "root", "dapr-app-id", "b"];
  expect(handedOn("api", ...hop, ...COMMON, ...claims).headers).toEqual(COMMON);
});

test("a sidecar's call keeps the ids that the sidecar gave it", () => {
  const ids = ["dapr-caller-app-id", "a", "dapr-callee-app-id", "b"];
  expect(handedOn("peer", "te", "trailers", "dapr-api-token", "t", ...COMMON, ...ids).headers).toEqual([
    ...COMMON,
    ...ids,
  ]);
});

test.each([
  ["true", true],
  ["1", true],
  ["on", true],
  ["false", false],
  ["", false],
])("dapr-stream: %j", (value, isStream) => {
  const call = handedOn("api", "dapr-app-id", "b", "dapr-stream", value);
  expect(call.isStream).toBe(isStream);
  expect(call.headers).toEqual(["dapr-stream", value]);
});

test.each(["api", "peer"] as const)("%s: a call's span takes the place of the trace in its headers", (door) => {
  const trace = new RecordingTracer().start("s", 3, undefined);
  const seen: ProxiedCall[] = [];
  const take = async (_target: string, call: ProxiedCall): Promise<void> => void seen.push(call);
  const handler = door === "api" ? proxyUnknown({ pass: take }) : proxyFromPeers({ passLocal: take });
  const headers = ["dapr-app-id", "a", "traceparent", "old", "tracestate", "o=1", "grpc-trace-bin", "AA==", "x", "1"];
  void handler({ headers, trace } as unknown as PassingCall);
  const binary = binaryOfTraceparent(trace.traceparent);
  expect(seen[0]?.headers).toEqual(["x", "1", "traceparent", trace.traceparent, "grpc-trace-bin", binary]);
});
