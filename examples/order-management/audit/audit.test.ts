import { expect, it } from "vitest";
import { audit, isGreen } from "./audit.ts";
import { goodBooks, type OpenBooks } from "./good-books.fixture.ts";
import type { Entry, JournalEntry } from "./records.ts";

const CLAIMS = {
  readable: "every record can be read",
  answered: "every request was answered",
  kept: "every answer that was given is in the books",
  asked: "nothing is in the books that the replay did not ask for",
  stock: "no stock was ever below zero",
  log: "the event log has no gap, and no entry without its owner",
  orders: "every order came to one end, step by step: confirmed only after reserved and paid",
  goods: "the goods of every order went as it did: confirmed ⇔ reserved and sold",
  transfers: "every return and write-off ended exactly once",
  confirmations: "every confirmed order left one confirmation, with its goods and its value",
  items: "every item is what opening stock and event log make of it",
  balance: "on hand + reserved + sold + written off = opening + returned",
} as const;

it("finds nothing in books in order, and says how much it examined", () => {
  const checks = audit(goodBooks());
  expect(checks.flatMap(({ problems }) => problems)).toEqual([]);
  expect(Object.fromEntries(checks.map(({ claim, examined }) => [claim, examined]))).toEqual({
    [CLAIMS.readable]: 31,
    [CLAIMS.answered]: 15,
    [CLAIMS.kept]: 15,
    [CLAIMS.asked]: 9,
    [CLAIMS.stock]: 2,
    [CLAIMS.log]: 2,
    [CLAIMS.orders]: 5,
    [CLAIMS.goods]: 5,
    [CLAIMS.transfers]: 3,
    [CLAIMS.confirmations]: 2,
    [CLAIMS.items]: 2,
    [CLAIMS.balance]: 2,
  });
  expect(isGreen(checks)).toBe(true);
});

function line(books: OpenBooks, step: JournalEntry["step"], id: string): { status: number; answer?: unknown } {
  return books.journal.find((one) => one.step === step && one.id === id)!;
}

/** Takes the line out of the journal. */
function unsaid(books: OpenBooks, step: JournalEntry["step"], id: string): void {
  books.journal = books.journal.filter((one) => one.step !== step || one.id !== id);
}

/** An entry of the log that is there. */
function entry({ log }: OpenBooks, code: string, owner: string, kind: string): Entry {
  return log.get(code)!.find((one) => one.owner === owner && one.kind === kind)!;
}

/** Puts an entry at the end of the log, as if the actor had written it. */
function add({ log, items }: OpenBooks, code: string, owner: string, kind: string, quantity: number): void {
  const entries = log.get(code)!;
  entries.push({ code, owner, kind, quantity, n: entries.length, at: entries[0]!.at });
  items.get(code)!.entries++;
}

function steps({ orders }: OpenBooks, id: string, names: string): void {
  const order = orders.get(id)!;
  order.history = names.split(" ").map((status) => ({ status, at: order.history[0]!.at }));
  order.status = order.history.at(-1)!.status;
}

type Damage = [what: string, claim: keyof typeof CLAIMS, damage: (books: OpenBooks) => unknown, problem: string];

const DAMAGES: readonly Damage[] = [
  ["a record of nonsense", "readable", ({ unreadable }) => unreadable.push("item 1: no"), "item 1: no"],
  ["a journal of nothing", "answered", (books) => (books.journal = []), "journal: it is empty"],
  [
    "a request that was given up",
    "answered",
    (books) => Object.assign(line(books, "place", "1"), { status: 0, error: "no answer" }),
    "1: place: no answer",
  ],

  [
    "shelves that could not be filled",
    "kept",
    (books) => (line(books, "open", "opening-stock").status = 409),
    "opening-stock: open answered 409, but the replay went on",
  ],
  ["a lost order", "kept", ({ orders }) => orders.delete("1"), "1: place answered 201, but there is no such order"],
  [
    "a promise without goods",
    "kept",
    (books) => steps(books, "1", "placed rejecting rejected"),
    "1: place answered 201, but its goods were never reserved",
  ],
  [
    "an order of another value",
    "kept",
    ({ orders }) => (orders.get("1")!.value = 7),
    "1: place answered 201, but the order's value is £7",
  ],
  [
    "an order for other goods",
    "kept",
    ({ orders }) => orders.get("1")!.invoice.lines.shift(),
    "1: place answered 201, but the order has other goods",
  ],
  [
    "a rejection that was none",
    "kept",
    (books) => steps(books, "2", "placed reserved paid confirmed"),
    "2: place answered 409, but the order is confirmed",
  ],
  [
    "a rejection for another reason",
    "kept",
    ({ orders }) => (orders.get("2")!.shortOf = "10001"),
    "2: place answered 409, but the order is rejected",
  ],
  [
    "a payment that was taken for nothing",
    "kept",
    (books) => steps(books, "1", "placed reserved expiring expired"),
    "1: pay answered 202, but the order is expired",
  ],
  [
    "a payment of a lost order",
    "kept",
    ({ orders }) => orders.delete("5"),
    "5: pay answered 202, but there is no such order",
  ],
  [
    "a refused payment of a sold order",
    "kept",
    (books) => steps(books, "4", "placed reserved paid confirmed"),
    "4: pay answered 409, but the order is confirmed",
  ],
  [
    "a cancelled order that was sold",
    "kept",
    (books) => steps(books, "3", "placed reserved paid confirmed"),
    "3: cancel answered 200, but the order is confirmed",
  ],
  [
    "an order that could not be cancelled",
    "kept",
    (books) => (line(books, "cancel", "3").status = 409),
    "3: cancel answered 409, but it cannot be refused before it is paid",
  ],
  [
    "a refund that is not there",
    "kept",
    (books) => steps(books, "5", "placed reserved paid confirmed"),
    "C6: refund answered 200, but order 5 is not refunded by it",
  ],
  [
    "a refund of other goods",
    "kept",
    ({ orders }) => (orders.get("5")!.refund!.lines[0]!.quantity = -3),
    "C6: refund answered 200, but other goods were taken back",
  ],
  [
    "a refused refund of a sold order",
    "kept",
    (books) => steps(books, "4", "placed reserved paid confirmed"),
    "C11: refund answered 409, but order 4 is confirmed",
  ],
  [
    "a refused refund that is there",
    "kept",
    ({ orders }) => (orders.get("4")!.refundedBy = "C11"),
    "C11: refund answered 409, but order 4 is refunded by it",
  ],
  [
    "a lost return",
    "kept",
    ({ transfers }) => transfers.delete("C8"),
    "C8: return answered 200, but its goods are not moved",
  ],
  [
    "a return that is another kind of transfer",
    "kept",
    ({ transfers }) => (transfers.get("C8")!.kind = "write-off"),
    "C8: return answered 200, but it is a write-off",
  ],
  [
    "a return of other goods",
    "kept",
    ({ transfers }) => (transfers.get("C8")!.lines[0]!.code = "10002"),
    "C8: return answered 200, but other goods were moved",
  ],
  [
    "a lost write-off",
    "kept",
    ({ transfers }) => (transfers.get("9")!.status = "refused"),
    "9: write-off answered 200, but its goods are refused",
  ],
  [
    "a refused write-off that moved goods",
    "kept",
    ({ transfers }) => (transfers.get("10")!.status = "done"),
    "10: write-off answered 409, but its goods were moved",
  ],

  [
    "an order of its own making",
    "asked",
    ({ orders }) => orders.set("12", orders.get("1")!),
    "12: nobody asked for this order",
  ],
  ["a refund of its own making", "asked", (books) => unsaid(books, "refund", "C6"), "C6: nobody asked for this refund"],
  [
    "a transfer of its own making",
    "asked",
    ({ transfers }) => transfers.set("C12", transfers.get("C8")!),
    "C12: nobody asked for this transfer",
  ],

  ["a shelf below zero", "stock", ({ items }) => (items.get("10001")!.onHand = -1), "10001: was at -1"],
  ["a shelf that was below zero", "stock", ({ items }) => (items.get("10001")!.lowest = -2), "10001: was at -2"],
  ["an account below zero", "stock", ({ items }) => (items.get("10001")!.reserved = -1), "10001: reserved is -1"],

  ["an entry too few", "log", ({ log }) => log.get("10001")!.pop(), "10001: 15 entries instead of 16"],
  ["an entry too many", "log", ({ items }) => items.get("10001")!.entries--, "10001: 16 entries instead of 15"],
  ["a gap", "log", ({ log }) => (log.get("10001")![2]!.n = 16), "10001: no entry 2"],
  [
    "entries of nobody",
    "log",
    ({ transfers }) => transfers.delete("C8"),
    "10001: entry 11 is of transfer:C8, which is not there",
  ],
  [
    "an entry of an unknown kind",
    "log",
    (books) => (entry(books, "10001", "transfer:9", "write-off").kind = "gift"),
    "10001: entry 13 is gift",
  ],

  ["an order on its way", "orders", (books) => steps(books, "1", "placed reserved paid"), "1: still paid"],
  [
    "an order that was confirmed unpaid",
    "orders",
    (books) => steps(books, "1", "placed reserved confirmed"),
    "1: confirmed after reserved",
  ],
  [
    "an order that was paid without a reservation",
    "orders",
    (books) => steps(books, "1", "placed paid confirmed"),
    "1: paid after placed",
  ],
  [
    "an order that expired when it was paid",
    "orders",
    (books) => steps(books, "1", "placed reserved paid expiring expired"),
    "1: expiring after paid",
  ],
  [
    "an order with two ends",
    "orders",
    (books) => steps(books, "4", "placed reserved expiring expired confirmed"),
    "4: confirmed after expired",
  ],
  ["an order without a beginning", "orders", ({ orders }) => (orders.get("1")!.history = []), "1: it began as nothing"],
  [
    "an order that is not what it became",
    "orders",
    ({ orders }) => (orders.get("1")!.status = "refunded"),
    "1: refunded, its last step confirmed",
  ],
  ["an order that expired early", "orders", ({ orders }) => orders.get("4")!.expiresAt++, "4: expired 1 ms too early"],

  [
    "a confirmed order without a reservation",
    "goods",
    (books) => (entry(books, "10001", "order:1", "reserve").kind = "release"),
    "1: confirmed without all of its goods reserved",
  ],
  [
    "an order that was sold twice",
    "goods",
    (books) => add(books, "10001", "order:1", "sell", 2),
    "1: confirmed, its goods not sold once",
  ],
  [
    "an order that was sold and given back",
    "goods",
    (books) => add(books, "10001", "order:1", "release", 2),
    "1: sold and released",
  ],
  [
    "an expired order that still holds goods",
    "goods",
    (books) => (entry(books, "10001", "order:4", "release").quantity = 3),
    "4: expired, yet it still holds goods",
  ],
  [
    "a cancelled order that was given back twice",
    "goods",
    (books) => add(books, "10001", "order:3", "release", 2),
    "3: cancelled, yet it still holds goods",
  ],
  [
    "a rejected order that was sold",
    "goods",
    (books) => add(books, "10001", "order:2", "sell", 2),
    "2: rejected and sold",
  ],
  [
    "a refund that brought too little back",
    "goods",
    (books) => (entry(books, "10001", "order:5", "refund").quantity = 3),
    "5: refunded, its goods not taken back as they should be",
  ],
  [
    "an order whose goods are on the move",
    "goods",
    (books) => steps(books, "4", "placed reserved expiring"),
    "4: still expiring",
  ],
  [
    "an order that wrote goods off",
    "goods",
    (books) => (entry(books, "10001", "order:4", "release").kind = "write-off"),
    "4: has an entry write-off",
  ],

  ["a return on its way", "transfers", ({ transfers }) => (transfers.get("C8")!.status = "moving"), "C8: still moving"],
  [
    "a return that came twice",
    "transfers",
    (books) => add(books, "10001", "transfer:C8", "return", 1),
    "C8: done, its goods not moved so",
  ],
  [
    "a refused write-off that holds goods",
    "transfers",
    (books) => (entry(books, "10001", "transfer:10", "release").quantity = 0),
    "10: refused, yet it still holds goods",
  ],
  [
    "a return that was a sale",
    "transfers",
    (books) => (entry(books, "10001", "transfer:C8", "return").kind = "sell"),
    "C8: a return that has an entry sell",
  ],

  ["a lost confirmation", "confirmations", ({ confirmations }) => confirmations.delete("1"), "1: no confirmation"],
  [
    "a confirmation of an expired order",
    "confirmations",
    ({ confirmations }) => confirmations.set("4", confirmations.get("1")!),
    "4: a confirmation, yet expired",
  ],
  [
    "a confirmation of nothing",
    "confirmations",
    ({ confirmations }) => confirmations.set("12", confirmations.get("1")!),
    "12: a confirmation without an order",
  ],
  [
    "a confirmation of another order",
    "confirmations",
    ({ confirmations }) => (confirmations.get("1")!.orderId = "5"),
    "1: its confirmation is of 5",
  ],
  [
    "other goods confirmed",
    "confirmations",
    ({ confirmations }) => confirmations.get("1")!.lines.pop(),
    "1: other goods confirmed",
  ],
  [
    "another value confirmed",
    "confirmations",
    ({ confirmations }) => (confirmations.get("1")!.value = 8.01),
    "1: £8.01 confirmed instead of £8",
  ],
  [
    "an order that was added up wrongly",
    "confirmations",
    ({ orders }) => (orders.get("1")!.value = 8.01),
    "1: kept with £8.01 instead of £8",
  ],

  ["a lost item", "items", ({ items }) => items.delete("10002"), "10002: no such item"],
  [
    "an item that was opened with other stock",
    "items",
    ({ items }) => (items.get("10001")!.opening = 9),
    "10001: opened with 9 instead of 10",
  ],
  [
    "an item that the log does not explain",
    "items",
    ({ items }) => Object.assign(items.get("10001")!, { onHand: 7, sold: 3 }),
    "10001: onHand 7 instead of 8, sold 3 instead of 2",
  ],
  [
    "an entry that no item shows",
    "items",
    (books) => (entry(books, "10001", "transfer:C8", "return").code = "10003"),
    "10003: no such item",
  ],

  ["a unit too many", "balance", ({ items }) => items.get("10001")!.onHand++, "10001: 1 units too many"],
  ["units out of nothing", "balance", ({ items }) => (items.get("10001")!.opening = 12), "10001: 2 units too few"],
  ["opening stock that was another", "balance", ({ opening }) => opening.set("10001", 12), "10001: 2 units too few"],
  [
    "a confirmation for more than was sold",
    "balance",
    ({ confirmations }) => confirmations.get("1")!.lines[0]!.quantity++,
    "10001: 1 units too many",
  ],
  ["a return that nobody saw", "balance", (books) => unsaid(books, "return", "C8"), "10001: 1 units too many"],
  ["a write-off that nobody saw", "balance", (books) => unsaid(books, "write-off", "9"), "10001: 1 units too few"],
  ["a refund that nobody saw", "balance", (books) => unsaid(books, "refund", "C6"), "10001: 4 units too many"],
];

it.each(DAMAGES)("finds %s", (_what, claim, damage, problem) => {
  const books = goodBooks();
  damage(books);
  const checks = audit(books);
  expect(checks.find((check) => check.claim === CLAIMS[claim])?.problems).toContain(problem);
  expect(isGreen(checks)).toBe(false);
});

it("has a test of failure for every claim that it makes", () => {
  expect(audit(goodBooks()).map(({ claim }) => claim)).toEqual(Object.values(CLAIMS));
  expect(new Set(DAMAGES.map(([, claim]) => claim))).toEqual(new Set(Object.keys(CLAIMS)));
});
