import { expect, it } from "vitest";
import { type Movement, type MovementKind, openBooks, type StockBooks } from "../model/books.ts";
import { posting } from "./posting.ts";

const AT = "2026-03-02T09:00:00.000Z";

/** The books and the movement of one owner, as the turns before have left them. */
class Shelf {
  books: StockBooks;
  movement: Movement = { entries: [] };

  constructor(units: number) {
    this.books = openBooks(units);
  }

  move(kind: MovementKind, quantity: number): string {
    const posted = posting(this.books, this.movement, { owner: "order:1", kind, quantity }, AT);
    if (posted.status === "posted") ({ books: this.books, movement: this.movement } = posted);
    return posted.status;
  }
}

it("moves units from account to account, and writes each entry down under the next number", () => {
  const shelf = new Shelf(5);
  expect([shelf.move("reserve", 3), shelf.move("sell", 3), shelf.move("refund", 2)]).toEqual(Array(3).fill("posted"));
  expect(shelf.books).toMatchObject({ onHand: 4, reserved: 0, sold: 1, lowest: 2, entries: 3 });
  expect(shelf.movement.entries).toEqual([
    { n: 0, kind: "reserve", quantity: 3, at: AT },
    { n: 1, kind: "sell", quantity: 3, at: AT },
    { n: 2, kind: "refund", quantity: 2, at: AT },
  ]);
});

it("does each kind once for an owner", () => {
  const shelf = new Shelf(5);
  shelf.move("reserve", 3);
  expect(shelf.move("reserve", 3)).toBe("repeated");
  shelf.move("release", 3);
  expect([shelf.move("release", 3), shelf.move("reserve", 3)]).toEqual(["repeated", "repeated"]);
  expect(shelf.books).toMatchObject({ onHand: 5, reserved: 0, entries: 2 });
});

it("refuses what is not there", () => {
  const shelf = new Shelf(2);
  expect(shelf.move("reserve", 3)).toBe("refused");
  expect(shelf.movement.entries).toEqual([]);
});

it("refuses to reserve for an owner who has given up before", () => {
  const shelf = new Shelf(5);
  expect(shelf.move("release", 3)).toBe("posted");
  expect(shelf.movement.entries).toEqual([{ n: 0, kind: "release", quantity: 0, at: AT }]);
  expect(shelf.move("reserve", 3)).toBe("refused");
  expect(shelf.books).toMatchObject({ onHand: 5, reserved: 0 });
});

it.each<[MovementKind[], MovementKind, number, string]>([
  [[], "sell", 1, "order:1: sell after nothing"],
  [[], "refund", 1, "order:1: refund after nothing"],
  [["reserve"], "refund", 1, "order:1: refund after reserve"],
  [["reserve", "sell"], "release", 1, "order:1: release after sell"],
  [["reserve", "release"], "sell", 1, "order:1: sell after release"],
  [["reserve"], "sell", 2, "order:1: sell of 2 after reserve of 1"],
])("fails when after %j comes %s", (before, kind, quantity, message) => {
  const shelf = new Shelf(5);
  for (const one of before) shelf.move(one, 1);
  expect(() => shelf.move(kind, quantity)).toThrow(message);
});
