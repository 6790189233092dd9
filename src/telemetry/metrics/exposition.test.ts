import { expect, it } from "vitest";
import { formatGoFloat } from "./exposition.ts";

/** What Go's `strconv.FormatFloat(x, 'g', -1, 64)` printed. */
it.each([
  [0, "0"],
  [-0, "-0"],
  [1, "1"],
  [999_999, "999999"],
  [1_000_000, "1e+06"],
  [1_048_576, "1.048576e+06"],
  [123_456_789, "1.23456789e+08"],
  [1e21, "1e+21"],
  [0.5, "0.5"],
  [0.0001, "0.0001"],
  [0.00001, "1e-05"],
  [-2.5e-7, "-2.5e-07"],
  [123_456.789, "123456.789"],
  [1_234_567.891, "1.234567891e+06"],
  [4_294_967_296, "4.294967296e+09"],
  [Number.MAX_VALUE, "1.7976931348623157e+308"],
  [5e-324, "5e-324"],
  [300_000.0001, "300000.0001"],
  [Number.POSITIVE_INFINITY, "+Inf"],
  [Number.NEGATIVE_INFINITY, "-Inf"],
  [Number.NaN, "NaN"],
])("prints %d as Go does", (value, text) => {
  expect(formatGoFloat(value)).toBe(text);
});
