import { describe, expect, it, test } from "vitest";
import { ANY_STATUS, matchesStatus, parseStatusMatch, StatusPatternError } from "./status-match.ts";

const http = (code: number) => ({ kind: "http", code }) as const;
const grpc = (code: number) => ({ kind: "grpc", code }) as const;

describe("a list of codes", () => {
  const match = parseStatusMatch("429,500-503,", "2,13-14");

  test.each([429, 500, 502, 503])("holds HTTP %i", (code) => {
    expect(matchesStatus(match, http(code))).toBe(true);
  });

  test.each([200, 400, 428, 499, 504])("does not hold HTTP %i", (code) => {
    expect(matchesStatus(match, http(code))).toBe(false);
  });

  test.each([2, 13, 14])("holds gRPC %i", (code) => {
    expect(matchesStatus(match, grpc(code))).toBe(true);
  });

  test.each([0, 1, 12, 15])("does not hold gRPC %i", (code) => {
    expect(matchesStatus(match, grpc(code))).toBe(false);
  });

  it("says nothing about failures without a code", () => {
    expect(matchesStatus(match, { kind: "none" })).toBe(true);
  });
});

it("holds for all codes of a protocol that it does not name", () => {
  const match = parseStatusMatch("500", "");
  expect(matchesStatus(match, grpc(14))).toBe(true);
  expect(matchesStatus(match, http(404))).toBe(false);
});

it("never holds for what is no code at all", () => {
  expect([http(99), http(600), grpc(17), grpc(-1)].some((status) => matchesStatus(ANY_STATUS, status))).toBe(false);
});

test.each([
  ["11", "", "invalid pattern 11, start code 11 is not valid"],
  ["600", "", "invalid pattern 600, start code 600 is not valid"],
  ["500-600", "", "invalid pattern 500-600, end code 600 is not valid"],
  ["500-400", "", "invalid pattern 500-400, start value should not bigger than end value"],
  ["400-410-420", "", "invalid pattern 400-410-420, more than one '-' exists"],
  ["5xx", "", 'failed to parse start code 5xx from pattern 5xx to int, strconv.Atoi: parsing "5xx": invalid syntax'],
  ["500-", "", 'failed to parse end code  from pattern 500- to int, strconv.Atoi: parsing "": invalid syntax'],
  [
    "500, 501",
    "",
    'failed to parse start code  501 from pattern  501 to int, strconv.Atoi: parsing " 501": invalid syntax',
  ],
  ["", "17", "invalid pattern 17, start code 17 is not valid"],
])("refuses http %j, grpc %j", (httpCodes, grpcCodes, message) => {
  expect(() => parseStatusMatch(httpCodes, grpcCodes)).toThrow(new StatusPatternError(message));
});
