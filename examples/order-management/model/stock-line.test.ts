import { expect, it } from "vitest";
import { isPartOf, isSameLines, stockLinesSchema } from "./stock-line.ts";

const A2 = { code: "10001", quantity: 2 };
const B1 = { code: "10002B", quantity: 1 };

it("compares lines", () => {
  expect(isSameLines([A2, B1], [A2, { ...B1 }])).toBe(true);
  for (const other of [[A2], [A2, B1, B1], [B1, A2], [A2, { ...B1, quantity: 2 }]]) {
    expect(isSameLines([A2, B1], other)).toBe(false);
  }
});

it("knows what is part of an order", () => {
  expect(isPartOf([{ ...A2, quantity: 1 }], [A2, B1])).toBe(true);
  expect(isPartOf([], [])).toBe(true);
  expect(isPartOf([{ ...A2, quantity: 3 }], [A2, B1])).toBe(false);
  expect(isPartOf([A2], [B1])).toBe(false);
});

it.each([[[{ code: "POST", quantity: 1 }]], [[{ code: "10001", quantity: 0 }]], [[A2, A2]], [[{ ...A2, price: 1 }]]])(
  "does not read %j",
  (lines) => {
    expect(stockLinesSchema.safeParse(lines).success).toBe(false);
  },
);
