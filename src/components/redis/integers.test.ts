import { expect, it } from "vitest";
import { parseGoInteger } from "./integers.ts";

it.each([
  ["0", 0n],
  ["+12", 12n],
  ["-007", -7n],
  ["9223372036854775807", 9223372036854775807n],
])("%s is read", (text, value) => {
  expect(parseGoInteger(text, "Atoi")).toBe(value);
});

it.each([
  ["", 'strconv.Atoi: parsing "": invalid syntax'],
  ["1.5", 'strconv.Atoi: parsing "1.5": invalid syntax'],
  ["9223372036854775808", 'strconv.Atoi: parsing "9223372036854775808": value out of range'],
])("%j is refused in Go's words", (text, message) => {
  expect(() => parseGoInteger(text, "Atoi")).toThrow(message);
});
