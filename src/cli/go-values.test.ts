import { describe, expect, it } from "vitest";
import { isTruthy, parseCsv, parseGoBool, parseGoDecimal, parseGoInteger, ValueError } from "./go-values.ts";

describe("parseGoInteger", () => {
  it.each([
    ["0", 0],
    ["-1", -1],
    ["+7", 7],
    ["010", 8],
    ["0x1F", 31],
    ["0b101", 5],
    ["0o17", 15],
    ["1_000", 1_000],
    ["-0", 0],
  ])("reads %j", (text, value) => {
    expect(parseGoInteger(text)).toBe(value);
  });

  it.each(["", "x", "1.5", "09", "1__0", "_1", "0x", " 1", "1e3"])("refuses %j", (text) => {
    expect(() => parseGoInteger(text)).toThrow(
      new ValueError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`),
    );
  });

  it("refuses what is out of range and, unsigned, a sign", () => {
    expect(() => parseGoInteger("99999999999999999999")).toThrow(
      'strconv.ParseInt: parsing "99999999999999999999": value out of range',
    );
    expect(() => parseGoInteger("-1", true)).toThrow('strconv.ParseUint: parsing "-1": invalid syntax');
  });
});

describe("parseGoDecimal", () => {
  it("reads decimal digits only", () => {
    expect(parseGoDecimal("3500")).toBe(3500);
    expect(parseGoDecimal("010")).toBe(10);
    expect(() => parseGoDecimal("0x1")).toThrow('strconv.Atoi: parsing "0x1": invalid syntax');
    expect(() => parseGoDecimal("")).toThrow('strconv.Atoi: parsing "": invalid syntax');
  });
});

describe("parseGoBool", () => {
  it("knows Go's words", () => {
    expect(["1", "t", "TRUE", "True"].map(parseGoBool)).toEqual([true, true, true, true]);
    expect(["0", "f", "FALSE", "False"].map(parseGoBool)).toEqual([false, false, false, false]);
    expect(() => parseGoBool("yes")).toThrow('strconv.ParseBool: parsing "yes": invalid syntax');
  });
});

describe("parseCsv", () => {
  it.each([
    ["", []],
    ["a", ["a"]],
    ["a,b,,c", ["a", "b", "", "c"]],
    ['"a,b",c', ["a,b", "c"]],
    ['"say ""hi""",x', ['say "hi"', "x"]],
    [",", ["", ""]],
  ])("splits %j", (text, fields) => {
    expect(parseCsv(text)).toEqual(fields);
  });

  it.each(['a"b', '"open', '"a"b'])("refuses %j", (text) => {
    expect(() => parseCsv(text)).toThrow(ValueError);
  });
});

it("takes Dapr's words for a switch that is on", () => {
  expect(["y", "YES", " true ", "t", "On", "1"].map(isTruthy)).toEqual(Array(6).fill(true));
  expect([undefined, "", "0", "no", "truely"].map(isTruthy)).toEqual(Array(5).fill(false));
});
