import { describe, expect, it } from "vitest";
import { plainScalarToText, resolvePlainScalar, type ScalarValue } from "./scalar.ts";

describe("resolvePlainScalar", () => {
  const cases: readonly (readonly [text: string, kubernetes: ScalarValue, goYaml3: ScalarValue])[] = [
    ["", null, null],
    ["~", null, null],
    ["Null", null, null],
    ["nUll", "nUll", "nUll"],
    ["true", true, true],
    ["yes", true, "yes"],
    ["N", false, "N"],
    ["off", false, "off"],
    ["oN", "oN", "oN"],
    ["0", 0, 0],
    ["+12", 12, 12],
    ["-12", -12, -12],
    ["1_000", 1000, 1000],
    ["017", 15, 15],
    ["0o17", 15, 15],
    ["08", 8, 8],
    ["-0x1F", -31, -31],
    ["0b101", 5, 5],
    ["18446744073709551615", 18446744073709551615n, 18446744073709551615n],
    ["18446744073709551616", 18446744073709551616, 18446744073709551616],
    ["1.5", 1.5, 1.5],
    [".5", 0.5, 0.5],
    ["1e3", 1000, 1000],
    ["1e999", "1e999", "1e999"],
    ["1:30", "1:30", "1:30"],
    ["2026-01-02", "2026-01-02", "2026-01-02"],
    ["-", "-", "-"],
    ["v1", "v1", "v1"],
    [".inf", Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ];

  it.each(cases)("%j", (text, kubernetes, goYaml3) => {
    expect(resolvePlainScalar(text, "kubernetes")).toBe(kubernetes);
    expect(resolvePlainScalar(text, "go-yaml-3")).toBe(goYaml3);
  });
});

/** Right-hand sides come from Go's strconv.FormatFloat(x, 'g', -1, 32). */
describe("plainScalarToText", () => {
  const cases: readonly (readonly [text: string, kubernetes: string])[] = [
    ["1.0", "1"],
    ["1.1", "1.1"],
    ["1e6", "1e+06"],
    ["1e20", "1e+20"],
    ["123456789.0", "1.2345679e+08"],
    ["123456.0", "123456"],
    ["0.0001", "0.0001"],
    ["0.00001", "1e-05"],
    ["3.14159265358979", "3.1415927"],
    ["1e40", "+Inf"],
    ["-1.5", "-1.5"],
    ["123456789", "123456789"],
    ["0x10", "16"],
    ["yes", "true"],
    ["null", ""],
    ["text", "text"],
  ];

  it.each(cases)("%j", (text, kubernetes) => {
    expect(plainScalarToText(text, "kubernetes")).toBe(kubernetes);
  });

  it("keeps the text in a Configuration file", () => {
    expect(plainScalarToText("1.0", "go-yaml-3")).toBe("1.0");
    expect(plainScalarToText("yes", "go-yaml-3")).toBe("yes");
    expect(plainScalarToText("~", "go-yaml-3")).toBe("");
  });
});
