import fc from "fast-check";
import { expect, test } from "vitest";
import { compareCodePoints } from "./code-point-order.ts";

test("texts sort as their UTF-8 bytes do", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "binary" }),
      fc.string({ unit: "binary" }),
      (head, a, b) => {
        const order = Buffer.compare(Buffer.from(head + a), Buffer.from(head + b));
        expect(Math.sign(compareCodePoints(head + a, head + b))).toBe(order);
      },
    ),
  );
});
