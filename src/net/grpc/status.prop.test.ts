import fc from "fast-check";
import { expect, test } from "vitest";
import { GRPC_STATUS, type GrpcStatusCode } from "../../errors/grpc-status.ts";
import {
  appendStatus,
  decodeGrpcMessage,
  encodeGrpcMessage,
  formatGrpcTimeout,
  GrpcError,
  grpcCodeOfHttp,
  grpcErrorOfReset,
  grpcStatusName,
  grpcStatusOf,
  parseGrpcTimeout,
  statusOfTrailers,
} from "./status.ts";

test("any message survives percent-encoding, which is printable ASCII", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), (message) => {
      fc.pre(message.isWellFormed());
      const text = encodeGrpcMessage(message);
      expect(text).toMatch(/^[\x20-\x7e]*$/);
      expect(decodeGrpcMessage(text)).toBe(message);
    }),
  );
});

test("what is not valid percent-encoding stays as it came", () => {
  for (const text of ["100%", "%", "%4", "%zz", "a%G0b"]) expect(decodeGrpcMessage(text)).toBe(text);
  expect(decodeGrpcMessage("%41%zz%42")).toBe("A%zzB");
});

test("a status survives its trailers", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 16 }),
      fc.string({ maxLength: 20 }).filter((one) => one.isWellFormed()),
      fc.option(fc.uint8Array({ maxLength: 20 }), { nil: undefined }),
      (code, message, details) => {
        const detailsBin = details === undefined ? undefined : new Uint8Array(details);
        const trailers = ["other", "x"];
        appendStatus({ code: code as GrpcStatusCode, message, detailsBin }, trailers);
        expect(statusOfTrailers(trailers)).toEqual({ code, message, detailsBin });
      },
    ),
  );
});

test("trailers without a status, with a strange one and with a code nobody knows", () => {
  expect(statusOfTrailers(["a", "b"])).toBeUndefined();
  expect(statusOfTrailers(["grpc-status", "x"])?.code).toBe(GRPC_STATUS.UNKNOWN);
  expect(statusOfTrailers(["grpc-status", "99"])?.code).toBe(GRPC_STATUS.UNKNOWN);
});

test("a timeout is never shortened by its text", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1e11, noNaN: true }), (ms) => {
      const text = formatGrpcTimeout(ms);
      expect(text).toMatch(/^\d{1,8}[HMSmun]$/);
      const back = parseGrpcTimeout(text) as number;
      expect(back).toBeGreaterThanOrEqual(ms * 0.999999);
      expect(back).toBeLessThanOrEqual(Math.max(ms + 1, ms * 1.05));
    }),
  );
});

test("timeouts of the specification, and malformed ones", () => {
  expect(["1H", "2M", "3S", "4m", "5u", "6n"].map(parseGrpcTimeout)).toEqual([
    3_600_000, 120_000, 3_000, 4, 0.005, 0.000006,
  ]);
  expect(["", "1", "S", "123456789S", "-1S", "1s", "1.5S"].map(parseGrpcTimeout)).toEqual(
    Array.from({ length: 7 }, () => undefined),
  );
  expect(formatGrpcTimeout(-5)).toBe("0m");
});

test("codes of HTTP statuses and resets", () => {
  expect([400, 401, 403, 404, 429, 500, 502, 503, 504, 418].map((one) => grpcStatusName(grpcCodeOfHttp(one)))).toEqual([
    "INTERNAL",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "UNIMPLEMENTED",
    "UNAVAILABLE",
    "UNKNOWN",
    "UNAVAILABLE",
    "UNAVAILABLE",
    "UNAVAILABLE",
    "UNKNOWN",
  ]);
  expect([-1, 0, 2, 7, 8, 11, 12, 99].map((one) => grpcStatusName(grpcErrorOfReset(one).code))).toEqual([
    "UNAVAILABLE",
    "INTERNAL",
    "INTERNAL",
    "UNAVAILABLE",
    "CANCELLED",
    "RESOURCE_EXHAUSTED",
    "PERMISSION_DENIED",
    "INTERNAL",
  ]);
});

test("anything thrown has a status", () => {
  expect(grpcStatusOf(new GrpcError(5, "m"))).toMatchObject({ code: 5, message: "m" });
  expect(grpcStatusOf(new DOMException("x", "AbortError"))).toMatchObject({ code: 1 });
  expect(grpcStatusOf(new Error("e"))).toEqual({ code: 2, message: "e" });
  expect(grpcStatusOf("text")).toEqual({ code: 2, message: "text" });
});
