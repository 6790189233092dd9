import fc from "fast-check";
import { expect, it } from "vitest";
import { isBalanced, isCovered, type MovementKind, openBooks, post, POSTINGS, type StockBooks } from "./books.ts";

const kinds = Object.keys(POSTINGS) as MovementKind[];

it("stays in balance with every entry, and knows when an account is overdrawn", () => {
  const entries = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.integer({ min: 1, max: 9 })));
  fc.assert(
    fc.property(fc.nat({ max: 9 }), entries, (opening, all) => {
      let books = openBooks(opening);
      let lowest = opening;
      for (const [kind, quantity] of all) {
        books = post(books, kind, quantity);
        lowest = Math.min(lowest, books.onHand);
        expect(isBalanced(books)).toBe(true);
        expect(isCovered(books)).toBe(
          Math.min(books.onHand, books.reserved, books.sold, books.writtenOff, books.returned) >= 0,
        );
      }
      expect(books.lowest).toBe(lowest);
      expect(books.opening).toBe(opening);
      expect(books.entries).toBe(all.length);
    }),
  );
});

it.each([
  ["reserve", "release"],
  ["sell", "refund"],
] as const)("%s and %s leave what can be sold as it was", (there, back) => {
  const books: StockBooks = { ...openBooks(8), onHand: 5, reserved: 3 };
  const after = post(post(books, there, 3), back, 3);
  expect(after.onHand + after.reserved).toBe(8);
  expect(after.entries).toBe(2);
});

it("sees books that are out of balance", () => {
  expect(isBalanced({ ...openBooks(5), sold: 1 })).toBe(false);
});
