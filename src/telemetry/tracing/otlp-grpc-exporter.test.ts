import { expect, it } from "vitest";
import { GRPC_STATUS, type GrpcStatusCode } from "../../errors/grpc-status.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { isWorthRepeating } from "./otlp-grpc-exporter.ts";

const RETRY_INFO = Buffer.from("\x12\x28type.googleapis.com/google.rpc.RetryInfo");

it.each<[keyof typeof GRPC_STATUS, Uint8Array | undefined, boolean]>([
  ["UNAVAILABLE", undefined, true],
  ["DEADLINE_EXCEEDED", undefined, true],
  ["INVALID_ARGUMENT", RETRY_INFO, false],
  ["UNIMPLEMENTED", undefined, false],
  // What a collector says to a batch that is too large for it, and will say again.
  ["RESOURCE_EXHAUSTED", undefined, false],
  ["RESOURCE_EXHAUSTED", RETRY_INFO, true],
])("a batch that was refused with %s is sent again only where that may help", (name, detailsBin, expected) => {
  const code: GrpcStatusCode = GRPC_STATUS[name];
  expect(isWorthRepeating(new GrpcError(code, "refused", { detailsBin }))).toBe(expected);
});

it("what is no status is not repeated", () => {
  expect(isWorthRepeating(new Error("bug"))).toBe(false);
});
