import { expect, test } from "vitest";
import { goFormat } from "./go-format.ts";

test.each([
  ["text", "text"],
  [undefined, "<nil>"],
  [null, "<nil>"],
  [true, "true"],
  [5, "5"],
  [1.5, "1.5"],
  [0, "0"],
  [-3, "-3"],
  [123456, "123456"],
  [1e21, "1e+21"],
  [1e-7, "1e-07"],
  [1.5e300, "1.5e+300"],
  [[1, "a", null], "[1 a <nil>]"],
  [{ b: 1, a: [2] }, "map[a:[2] b:1]"],
])("%j is printed as %s", (value, printed) => {
  expect(goFormat(value)).toBe(printed);
});
