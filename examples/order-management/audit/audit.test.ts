import { expect, it } from "vitest";
import { audit, isGreen } from "./audit.ts";
import { goodBooks, type OpenBooks } from "./good-books.fixture.ts";
import type { JournalEntry } from "./records.ts";

const CLAIMS = {
  readable: "every record can be read",
  answered: "every request was answered",
  kept: "every answer that was given is in the books",
  asked: "nothing is in the books that the replay did not ask for",
  stock: "no stock was ever below zero",
  log: "the event log has no gap, and no entry without its owner",
  reservations: "every reservation ended exactly once",
  transfers: "every return, write-off and cancellation of an order ended exactly once",
  orders: "every order ended as its reservation did: confirmed ⇔ committed",
  confirmations: "every confirmed order left one confirmation, with its goods and its value",
  items: "every item is what opening stock and event log make of it",
  balance: "on hand + reserved + sold + written off = opening + returned",
} as const;

it("finds nothing in books in order, and says how much it examined", () => {
  const checks = audit(goodBooks());
  expect(checks.flatMap(({ problems }) => problems)).toEqual([]);
  expect(Object.fromEntries(checks.map(({ claim, examined }) => [claim, examined]))).toEqual({
    [CLAIMS.readable]: 45,
    [CLAIMS.answered]: 16,
    [CLAIMS.kept]: 16,
    [CLAIMS.asked]: 13,
    [CLAIMS.stock]: 2,
    [CLAIMS.log]: 10,
    [CLAIMS.reservations]: 6,
    [CLAIMS.transfers]: 4,
    [CLAIMS.orders]: 3,
    [CLAIMS.confirmations]: 2,
    [CLAIMS.items]: 2,
    [CLAIMS.balance]: 2,
  });
  expect(isGreen(checks)).toBe(true);
});

function entry(books: OpenBooks, step: JournalEntry["step"], id: string): { status: number; answer?: unknown } {
  return books.journal.find((one) => one.step === step && one.id === id)!;
}

type Damage = [what: string, claim: keyof typeof CLAIMS, damage: (books: OpenBooks) => unknown, problem: string];

const DAMAGES: readonly Damage[] = [
  ["a record of nonsense", "readable", ({ unreadable }) => unreadable.push("item 1: no"), "item 1: no"],
  ["a journal of nothing", "answered", (books) => (books.journal = []), "journal: it is empty"],
  [
    "a request that was given up",
    "answered",
    (books) => Object.assign(entry(books, "place", "1"), { status: 0, error: "no answer" }),
    "1: place: no answer",
  ],

  [
    "shelves that could not be filled",
    "kept",
    (books) => (entry(books, "open", "opening-stock").status = 409),
    "opening-stock: open answered 409, but the replay went on",
  ],
  [
    "a lost reservation",
    "kept",
    ({ reservations }) => reservations.delete("R1"),
    "R1: reserve answered 201, but there is no such reservation",
  ],
  [
    "a promise that was not kept",
    "kept",
    ({ reservations }) => (reservations.get("R1")!.phase = "refused"),
    "R1: reserve answered 201, but the reservation is refused",
  ],
  [
    "a promise without goods",
    "kept",
    (books) => (entry(books, "reserve", "R1").answer = { status: "refused" }),
    "R1: reserve answered 201, but it does not say that goods are reserved",
  ],
  [
    "other goods than were asked for",
    "kept",
    ({ reservations }) => (reservations.get("R1")!.lines[0]!.quantity = 1),
    "R1: reserve answered 201, but the reservation has other goods",
  ],
  [
    "a refusal that was none",
    "kept",
    ({ reservations }) => (reservations.get("R2")!.phase = "committed"),
    "R2: reserve answered 409, but the reservation is committed",
  ],
  [
    "a refusal for another reason",
    "kept",
    ({ reservations }) => (reservations.get("R2")!.shortOf = "10001"),
    "R2: reserve answered 409, but the reservation was short of 10001",
  ],
  [
    "an expiry that was none",
    "kept",
    ({ reservations }) => (reservations.get("R4")!.reason = "cancelled"),
    "R4: reserve answered 409, but the reservation is cancelled",
  ],
  [
    "an expiry that was sold",
    "kept",
    ({ reservations }) => (reservations.get("R4")!.phase = "committed"),
    "R4: reserve answered 409, but the reservation is expired",
  ],
  [
    "a cancelled reservation that was sold",
    "kept",
    ({ reservations }) => (reservations.get("R3")!.phase = "committed"),
    "R3: cancel-reservation answered 202, but the reservation is committed",
  ],
  [
    "a reservation that could not be cancelled",
    "kept",
    (books) => (entry(books, "cancel-reservation", "R3").status = 409),
    "R3: cancel-reservation answered 409, but it cannot be refused",
  ],
  ["a lost order", "kept", ({ orders }) => orders.delete("1"), "1: place answered 202, but there is no such order"],
  [
    "an order that was not taken",
    "kept",
    (books) => (entry(books, "place", "1").status = 409),
    "1: place answered 409, but it cannot be refused",
  ],
  [
    "an order on another reservation",
    "kept",
    ({ orders }) => (orders.get("1")!.reservationId = "R5"),
    "1: place answered 202, but the order has another reservation",
  ],
  [
    "an order of another value",
    "kept",
    ({ orders }) => (orders.get("1")!.value = 7),
    "1: place answered 202, but the order's value is £7",
  ],
  [
    "an order for other goods",
    "kept",
    ({ orders }) => orders.get("1")!.invoice.lines.shift(),
    "1: place answered 202, but the order has other goods",
  ],
  [
    "a cancelled order that stands",
    "kept",
    ({ orders }) => delete orders.get("5")!.cancelledBy,
    "C6: cancel-order answered 200, but order 5 is not cancelled by it",
  ],
  [
    "a cancelled order whose goods did not come back",
    "kept",
    ({ transfers }) => transfers.delete("C6"),
    "C6: cancel-order answered 200, but its goods are not moved",
  ],
  [
    "a cancellation that is another kind of transfer",
    "kept",
    ({ transfers }) => (transfers.get("C6")!.kind = "return"),
    "C6: cancel-order answered 200, but it is a return",
  ],
  [
    "a refused cancellation of a sold order",
    "kept",
    ({ orders }) => (orders.get("7")!.status = "confirmed"),
    "C11: cancel-order answered 409, but order 7 is confirmed",
  ],
  [
    "a refused cancellation that brought goods back",
    "kept",
    ({ transfers }) => transfers.set("C11", { ...transfers.get("C6")!, id: "C11" }),
    "C11: cancel-order answered 409, but its goods were moved",
  ],
  [
    "a lost return",
    "kept",
    ({ transfers }) => transfers.delete("C8"),
    "C8: return answered 200, but its goods are not moved",
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
    ({ transfers }) => (transfers.get("9")!.phase = "refused"),
    "9: write-off answered 200, but its goods are refused",
  ],
  [
    "a refused write-off that moved goods",
    "kept",
    ({ transfers }) => (transfers.get("10")!.phase = "done"),
    "10: write-off answered 409, but its goods were moved",
  ],

  [
    "an order of its own making",
    "asked",
    ({ orders }) => orders.set("12", orders.get("1")!),
    "12: nobody asked for this order",
  ],
  [
    "a reservation of its own making",
    "asked",
    ({ reservations }) => reservations.set("R12", reservations.get("R1")!),
    "R12: nobody asked for this reservation",
  ],
  [
    "a transfer of its own making",
    "asked",
    ({ transfers }) => transfers.set("C12", transfers.get("C8")!),
    "C12: nobody asked for this transfer",
  ],

  ["a shelf below zero", "stock", ({ items }) => (items.get("10001")!.onHand = -1), "10001: was at -1"],
  ["a shelf that was below zero", "stock", ({ items }) => (items.get("10001")!.lowest = -2), "10001: was at -2"],
  ["an account below zero", "stock", ({ items }) => (items.get("10001")!.reserved = -1), "10001: reserved is -1"],

  [
    "an entry too few",
    "log",
    ({ events }) => events.get("reservation:R1")!.pop(),
    "reservation:R1: 2 entries instead of 3",
  ],
  [
    "an entry too many",
    "log",
    ({ reservations }) => reservations.get("R1")!.entries--,
    "reservation:R1: 3 entries instead of 2",
  ],
  ["a gap", "log", ({ events }) => (events.get("reservation:R1")![2]!.n = 3), "reservation:R1: no entry 2"],
  ["entries of nobody", "log", ({ transfers }) => transfers.delete("C8"), "transfer:C8: entries without an owner"],
  [
    "an entry of an unknown kind",
    "log",
    ({ events }) => (events.get("transfer:9")![0]!.kind = "gift"),
    "transfer:9: entry 0 is gift",
  ],

  [
    "a reservation on its way",
    "reservations",
    ({ reservations }) => (reservations.get("R1")!.phase = "committing"),
    "R1: still committing",
  ],
  [
    "a reservation that was sold twice",
    "reservations",
    ({ events }) => events.get("reservation:R1")!.push({ ...events.get("reservation:R1")![2]!, n: 3 }),
    "R1: committed, its goods not sold once",
  ],
  [
    "a reservation that was sold and given back",
    "reservations",
    ({ events }) => events.get("reservation:R1")!.push({ ...events.get("reservation:R1")![2]!, n: 3, kind: "release" }),
    "R1: committed and released",
  ],
  [
    "a reservation that was sold without goods",
    "reservations",
    ({ events }) => (events.get("reservation:R1")![1]!.kind = "unreserve"),
    "R1: committed without all of its goods",
  ],
  [
    "a reservation that was given back twice",
    "reservations",
    ({ events }) => events.get("reservation:R3")!.push({ ...events.get("reservation:R3")![1]!, n: 2 }),
    "R3: released, its goods not given back once",
  ],
  [
    "a reservation that was given back and sold",
    "reservations",
    ({ events }) => events.get("reservation:R3")!.push({ ...events.get("reservation:R3")![1]!, n: 2, kind: "commit" }),
    "R3: released and committed",
  ],
  [
    "a refused reservation that kept goods",
    "reservations",
    ({ events }) => events.get("reservation:R2")!.pop(),
    "R2: refused, yet it kept goods",
  ],
  [
    "a refused reservation that was sold",
    "reservations",
    ({ events }) => (events.get("reservation:R2")![1]!.kind = "commit"),
    "R2: refused, yet its goods went on",
  ],
  [
    "a reservation that brought goods back",
    "reservations",
    ({ events }) => (events.get("reservation:R4")![1]!.kind = "return"),
    "R4: has an entry return",
  ],

  ["a return on its way", "transfers", ({ transfers }) => (transfers.get("C8")!.phase = "moving"), "C8: still moving"],
  [
    "a return that came twice",
    "transfers",
    ({ events }) => events.get("transfer:C8")!.push({ ...events.get("transfer:C8")![0]!, n: 1 }),
    "C8: done, its goods not moved once",
  ],
  [
    "a refused write-off that was not undone",
    "transfers",
    ({ events }) => events.get("transfer:10")!.pop(),
    "10: refused, yet it moved goods",
  ],
  [
    "a return that was a sale",
    "transfers",
    ({ events }) => (events.get("transfer:C8")![0]!.kind = "commit"),
    "C8: a return that has an entry commit",
  ],

  [
    "a confirmed order whose reservation expired",
    "orders",
    ({ orders }) => (orders.get("7")!.status = "confirmed"),
    "7: confirmed, its reservation expired",
  ],
  [
    "an expired order whose reservation was sold",
    "orders",
    ({ orders }) => (orders.get("1")!.status = "expired"),
    "1: expired, its reservation committed",
  ],
  [
    "a rejected order whose reservation was not refused",
    "orders",
    ({ orders }) => (orders.get("7")!.status = "rejected"),
    "7: rejected, its reservation expired",
  ],
  [
    "a cancelled order whose reservation expired",
    "orders",
    ({ orders }) => (orders.get("7")!.status = "cancelled"),
    "7: cancelled, its reservation expired",
  ],
  [
    "an order without its reservation",
    "orders",
    ({ reservations }) => reservations.delete("R1"),
    "1: confirmed, its reservation gone",
  ],
  ["an order on its way", "orders", ({ orders }) => (orders.get("7")!.status = "placed"), "7: still placed"],
  [
    "an order for other goods than were reserved",
    "orders",
    ({ orders }) => (orders.get("1")!.invoice.lines[0]!.quantity = 9),
    "1: other goods than were reserved",
  ],
  [
    "a reservation sold to another order",
    "orders",
    ({ reservations }) => (reservations.get("R1")!.orderId = "5"),
    "R1: committed for 5, which does not hold it",
  ],
  [
    "a reservation sold to nobody",
    "orders",
    ({ orders }) => orders.delete("1"),
    "R1: committed for 1, which does not hold it",
  ],
  [
    "a cancellation that took nothing back",
    "orders",
    ({ transfers }) => (transfers.get("C6")!.phase = "refused"),
    "5: cancelled by C6, which took no goods back for it",
  ],
  [
    "a cancellation of another order",
    "orders",
    ({ transfers }) => (transfers.get("C6")!.orderId = "1"),
    "5: cancelled by C6, which took no goods back for it",
  ],
  [
    "a cancellation that has not ended",
    "orders",
    ({ orders }) => (orders.get("5")!.status = "confirmed"),
    "5: its cancellation by C6 did not come to an end",
  ],

  ["a lost confirmation", "confirmations", ({ confirmations }) => confirmations.delete("1"), "1: no confirmation"],
  [
    "a confirmation of an expired order",
    "confirmations",
    ({ confirmations }) => confirmations.set("7", confirmations.get("1")!),
    "7: a confirmation, yet expired",
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
    "a confirmation with another reservation",
    "confirmations",
    ({ confirmations }) => (confirmations.get("1")!.reservationId = "R5"),
    "1: confirmed with another reservation",
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
    ({ events }) => (events.get("transfer:C8")![0]!.lines[0]!.code = "10003"),
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
  ["a return that nobody saw", "balance", ({ journal }) => journal.splice(13, 1), "10001: 1 units too many"],
  ["a write-off that nobody saw", "balance", ({ journal }) => journal.splice(14, 1), "10001: 1 units too few"],
  ["a cancellation that nobody saw", "balance", ({ journal }) => journal.splice(9, 1), "10001: 4 units too many"],
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
