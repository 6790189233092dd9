import fc from "fast-check";
import { expect, it } from "vitest";
import { formatGoFloat } from "./exposition.ts";

it("prints numbers that read back the same", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Number(formatGoFloat(value))).toBe(value);
    }),
  );
});
