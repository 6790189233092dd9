import fc from "fast-check";
import { expect, it } from "vitest";
import { isBalanced, isCovered, openItem, post, POSTINGS, type StockEventKind, type StockItem } from "./books.ts";

const kinds = Object.keys(POSTINGS) as StockEventKind[];

it("stays in balance with every event, and knows when an account is overdrawn", () => {
  const events = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.integer({ min: 1, max: 9 })));
  fc.assert(
    fc.property(fc.nat({ max: 9 }), events, (opening, all) => {
      let item = openItem(opening);
      let lowest = opening;
      for (const [kind, quantity] of all) {
        item = post(item, kind, quantity);
        lowest = Math.min(lowest, item.onHand);
        expect(isBalanced(item)).toBe(true);
        expect(isCovered(item)).toBe(
          Math.min(item.onHand, item.reserved, item.sold, item.writtenOff, item.returned) >= 0,
        );
      }
      expect(item.lowest).toBe(lowest);
      expect(item.opening).toBe(opening);
    }),
  );
});

it.each([
  ["reserve", "unreserve"],
  ["reserve", "release"],
  ["cancellation", "undo-cancellation"],
  ["write-off", "undo-write-off"],
] as const)("%s and %s leave the accounts as they were", (there, back) => {
  const item: StockItem = { ...openItem(5), sold: 5, onHand: 5, opening: 10 };
  expect({ ...post(post(item, there, 3), back, 3), lowest: item.lowest }).toEqual(item);
});

it("sees books that are out of balance", () => {
  expect(isBalanced({ ...openItem(5), sold: 1 })).toBe(false);
});
