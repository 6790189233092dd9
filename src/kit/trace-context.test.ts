import { describe, expect, it, test } from "vitest";
import {
  binaryOfTraceparent,
  isTraceparent,
  isTracestate,
  traceContextOf,
  traceparentOfBinary,
} from "./trace-context.ts";

const IDS = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";

test.each([
  [`00-${IDS}-01`, true],
  [`00-${IDS}-00`, true],
  [`00-${IDS}-ff`, true],
  // A version to come may say more behind the flags; this one may not.
  [`cc-${IDS}-01-what-comes`, true],
  [`00-${IDS}-01-what-comes`, false],
  [`cc-${IDS}-01what`, false],
  [`ff-${IDS}-01`, false],
  [`00-${IDS.toUpperCase()}-01`, false],
  [`00-${"0".repeat(32)}-00f067aa0ba902b7-01`, false],
  [`00-4bf92f3577b34da6a3ce929d0e0e4736-${"0".repeat(16)}-01`, false],
  [`00-${IDS}-1`, false],
  [`00-${IDS}`, false],
  ["", false],
])("the traceparent %s names a trace: %s", (text, named) => {
  expect(isTraceparent(text)).toBe(named);
});

test.each([
  ["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", true],
  ["tenant@system=1", true],
  ["a=1 , b=2", true],
  ["a=1,,b=2", true],
  ["", true],
  ["a=1,a=2", false],
  ["A=1", false],
  ["a", false],
  ["a=", false],
  ["a=x=y", false],
  [Array.from({ length: 32 }, (_, index) => `k${index}=1`).join(","), true],
  [Array.from({ length: 33 }, (_, index) => `k${index}=1`).join(","), false],
])("the tracestate %s keeps the rules: %s", (text, keeps) => {
  expect(isTracestate(text)).toBe(keeps);
});

describe("traceContextOf", () => {
  it("leaves out a broken tracestate and keeps the trace", () => {
    expect(traceContextOf(`00-${IDS}-01`, "A=1")).toEqual({ traceparent: `00-${IDS}-01`, tracestate: "" });
  });

  it("cuts off what a later version says behind the flags", () => {
    expect(traceContextOf(`cc-${IDS}-01-x`, undefined)?.traceparent).toBe(`cc-${IDS}-01`);
  });
});

it("reads and writes OpenCensus's binary form", () => {
  const binary = "AABL+S81d7NNpqPOkp0ODkc2AQDwZ6oLqQK3AgE=";
  expect(binaryOfTraceparent(`00-${IDS}-01`)).toBe(binary);
  expect(traceparentOfBinary(binary)).toBe(`00-${IDS}-01`);
  expect(traceparentOfBinary("AAAA")).toBeUndefined();
});
