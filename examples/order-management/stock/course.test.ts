import { expect, it } from "vitest";
import { openItem, type StockItem } from "../model/books.ts";
import type { Reservation } from "../model/reservation.ts";
import type { StockLine } from "../model/stock-line.ts";
import type { Transfer } from "../model/transfer.ts";
import { type Course, linesOfStep, type Moving, stepOf } from "./course.ts";
import { STEP_LINES_MAX } from "./mover.ts";
import { committing, newReservation, releasing, reservationCourse } from "./reservation-course.ts";
import { newTransfer, transferCourse } from "./transfer-course.ts";

/** Codes `10000` on, one unit of each. */
function lines(count: number): StockLine[] {
  return Array.from({ length: count }, (_, index) => ({ code: String(10_000 + index), quantity: 1 }));
}

function shelves(stock: Readonly<Record<string, number>>): Map<string, StockItem> {
  return new Map(Object.entries(stock).map(([code, units]) => [code, openItem(units)]));
}

/** Walks to the end of what is to be moved, over books that nobody else touches; says in how many steps. */
function walk<Owner extends Moving>(course: Course<Owner>, from: Owner, books: Map<string, StockItem>) {
  let owner = from;
  let steps = 0;
  for (let way = course.way(owner); way !== undefined; way = course.way(owner)) {
    const step = stepOf(course, owner, way, linesOfStep(owner, way, STEP_LINES_MAX), books);
    for (const [code, item] of step.items) books.set(code, item);
    owner = step.owner;
    steps++;
  }
  return { owner, steps };
}

const reserve = (of: StockLine[], books: Map<string, StockItem>): { owner: Reservation; steps: number } =>
  walk(reservationCourse, newReservation("r1", of, 1000), books);

it("reserves, then sells", () => {
  const books = shelves({ "10000": 5 });
  const { owner } = reserve([{ code: "10000", quantity: 3 }], books);
  expect(owner).toMatchObject({ phase: "reserved", moved: 1, entries: 1 });
  expect(books.get("10000")).toMatchObject({ onHand: 2, reserved: 3, lowest: 2 });
  const sold = walk(
    reservationCourse,
    committing(owner, { reservationId: "r1", orderId: "o1", lines: owner.lines }),
    books,
  );
  expect(sold.owner).toMatchObject({ phase: "committed", entries: 2, orderId: "o1" });
  expect(books.get("10000")).toMatchObject({ onHand: 2, reserved: 0, sold: 3, lowest: 2 });
});

it("reserves, then gives back", () => {
  const books = shelves({ "10000": 5 });
  const { owner } = reserve([{ code: "10000", quantity: 3 }], books);
  const released = walk(reservationCourse, releasing(owner, "expired"), books).owner;
  expect(released).toMatchObject({ phase: "released", reason: "expired", entries: 2 });
  expect(books.get("10000")).toMatchObject({ onHand: 5, reserved: 0, lowest: 2 });
});

it("is done at once without goods, and logs nothing", () => {
  const { owner, steps } = reserve([], new Map());
  expect([owner.phase, owner.entries, steps]).toEqual(["reserved", 0, 1]);
  expect(walk(reservationCourse, releasing(owner, "cancelled"), new Map()).owner).toMatchObject({
    phase: "released",
    entries: 0,
  });
});

it("moves many lines in steps, each with its entry", () => {
  const many = lines(2 * STEP_LINES_MAX + 1);
  const { owner, steps } = reserve(many, shelves(Object.fromEntries(many.map(({ code }) => [code, 1]))));
  expect([owner.phase, owner.entries, steps]).toEqual(["reserved", 3, 3]);
});

it("gives everything back when a later step finds too little, the last lines first", () => {
  const many = lines(2 * STEP_LINES_MAX + 1);
  const stock = Object.fromEntries(many.map(({ code }) => [code, 1]));
  const short = many.at(-1)!.code;
  const books = shelves({ ...stock, [short]: 0 });
  const { owner, steps } = reserve(many, books);
  // Two steps forward, one that finds too little, two back.
  expect([owner.phase, owner.moved, owner.entries, steps]).toEqual(["refused", 0, 4, 5]);
  expect(owner.shortOf).toBe(short);
  for (const [code, item] of books) expect(item).toMatchObject({ onHand: code === short ? 0 : 1, reserved: 0 });
});

it("refuses a small order without moving anything", () => {
  const { owner, steps } = reserve(lines(2), shelves({ "10000": 1 }));
  expect([owner.phase, owner.shortOf, owner.entries, steps]).toEqual(["refused", "10001", 0, 1]);
});

it("turns a reservation round that is given up half-way", () => {
  const many = lines(STEP_LINES_MAX + 1);
  const books = shelves(Object.fromEntries(many.map(({ code }) => [code, 1])));
  const start = newReservation("r1", many, 1000);
  const half = stepOf(
    reservationCourse,
    start,
    { kind: "reserve", backward: false },
    many.slice(0, STEP_LINES_MAX),
    books,
  );
  for (const [code, item] of half.items) books.set(code, item);
  const { owner } = walk(reservationCourse, releasing(half.owner, "cancelled"), books);
  expect(owner).toMatchObject({ phase: "released", reason: "cancelled", moved: 0, entries: 2 });
  for (const item of books.values()) expect(item).toMatchObject({ onHand: 1, reserved: 0 });
});

it("leaves what has ended as it is", () => {
  const ended: Reservation = { ...newReservation("r1", [], 1000), phase: "committed", orderId: "o1" };
  expect(releasing(ended, "expired")).toBe(ended);
  expect(committing(ended, { reservationId: "r1", orderId: "o2", lines: [] })).toBe(ended);
});

const transfer = (kind: Transfer["kind"], of: StockLine[], books: Map<string, StockItem>): Transfer =>
  walk(transferCourse, newTransfer({ id: "t1", kind, lines: of }), books).owner;

it("takes back goods of codes that it has never had", () => {
  const books = new Map<string, StockItem>();
  expect(transfer("return", lines(1), books).phase).toBe("done");
  expect(books.get("10000")).toEqual({ ...openItem(0), onHand: 1, returned: 1 });
});

it("takes back of an order what was sold, and no more", () => {
  const books = new Map([["10000", { ...openItem(3), onHand: 1, sold: 2 }]]);
  expect(transfer("cancellation", [{ code: "10000", quantity: 3 }], books)).toMatchObject({
    phase: "refused",
    shortOf: "10000",
  });
  expect(transfer("cancellation", [{ code: "10000", quantity: 2 }], books).phase).toBe("done");
  expect(books.get("10000")).toMatchObject({ onHand: 3, sold: 0 });
});

it("writes off all or nothing", () => {
  const many = lines(STEP_LINES_MAX + 1);
  const stock = Object.fromEntries(many.map(({ code }) => [code, 1]));
  const books = shelves({ ...stock, [many.at(-1)!.code]: 0 });
  expect(transfer("write-off", many, books)).toMatchObject({ phase: "refused", moved: 0, entries: 2 });
  for (const item of books.values()) expect(item.writtenOff).toBe(0);
  expect(transfer("write-off", many.slice(0, -1), books).phase).toBe("done");
  expect(books.get("10000")).toMatchObject({ onHand: 0, writtenOff: 1 });
});

it("stops rather than writing books that cannot be", () => {
  const owner: Reservation = { ...newReservation("r1", lines(1), 1000), phase: "committing" };
  expect(() => walk(reservationCourse, owner, shelves({ "10000": 1 }))).toThrow(
    "commit of 1 10000 would leave its books below zero",
  );
});
