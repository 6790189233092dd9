import type { Confirmation, Event, Item, JournalEntry, Order, Reservation, Transfer } from "./records.ts";

/** Books as `Books` has them, open to damage. */
export interface OpenBooks {
  items: Map<string, Item>;
  reservations: Map<string, Reservation>;
  transfers: Map<string, Transfer>;
  events: Map<string, Event[]>;
  orders: Map<string, Order>;
  confirmations: Map<string, Confirmation>;
  opening: Map<string, number>;
  journal: JournalEntry[];
  unreadable: string[];
}

const at = "2026-03-02T09:00:00.000Z";
const one = (quantity: number) => [{ code: "10001", quantity }];
const two = () => [
  { code: "10001", quantity: 2 },
  { code: "10002", quantity: 3 },
];

function log(owner: string, ...entries: [kind: string, lines: Event["lines"]][]): [string, Event[]] {
  return [owner, entries.map(([kind, lines], n) => ({ owner, n, kind, lines, at }))];
}

function order(id: string, status: string, lines: Event["lines"], more: Partial<Order> = {}): [string, Order] {
  const invoice = {
    lines: [...lines.map((line) => ({ ...line, unitPrice: 1.1 })), { code: "POST", quantity: 1, unitPrice: 2.5 }],
  };
  const units = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  const value = Math.round((units * 1.1 + 2.5) * 100) / 100;
  return [id, { id, status, reservationId: `R${id}`, value, invoice, ...more }];
}

function confirmation(id: string, lines: Event["lines"], value: number): [string, Confirmation] {
  return [id, { orderId: id, reservationId: `R${id}`, lines, value }];
}

function reservation(id: string, phase: string, lines: Event["lines"], entries: number, more: Partial<Reservation>) {
  return [id, { id, phase, lines, entries, ...more }] as [string, Reservation];
}

/**
 * Books in order, with one of everything: order 1 confirmed, 2 refused half of the way, 3 cancelled by the customer before
 * it was placed, 4 abandoned, 5 confirmed and then cancelled by C6, 7 placed too late and expired; a return, a write-off
 * and a refused write-off.
 */
export function goodBooks(): OpenBooks {
  const asked = (lines: Event["lines"]) => ({ lines });
  return {
    opening: new Map([
      ["10001", 10],
      ["10002", 5],
    ]),
    items: new Map([
      ["10001", { opening: 10, onHand: 8, reserved: 0, sold: 2, writtenOff: 1, returned: 1, lowest: 3 }],
      ["10002", { opening: 5, onHand: 2, reserved: 0, sold: 3, writtenOff: 0, returned: 0, lowest: 0 }],
    ]),
    reservations: new Map([
      reservation("R1", "committed", two(), 3, { orderId: "1" }),
      reservation("R2", "refused", two(), 2, { shortOf: "10002" }),
      reservation("R3", "released", two(), 2, { reason: "cancelled" }),
      reservation("R4", "released", one(4), 2, { reason: "expired" }),
      reservation("R5", "committed", one(4), 2, { orderId: "5" }),
      reservation("R7", "released", one(1), 2, { reason: "expired" }),
    ]),
    transfers: new Map<string, Transfer>([
      ["C6", { id: "C6", kind: "cancellation", phase: "done", lines: one(4), entries: 1, orderId: "5" }],
      ["C8", { id: "C8", kind: "return", phase: "done", lines: one(1), entries: 1 }],
      ["9", { id: "9", kind: "write-off", phase: "done", lines: one(1), entries: 1 }],
      ["10", { id: "10", kind: "write-off", phase: "refused", lines: two(), entries: 2, shortOf: "10002" }],
    ]),
    events: new Map([
      log("reservation:R1", ["reserve", one(2)], ["reserve", [two()[1]!]], ["commit", two()]),
      log("reservation:R2", ["reserve", one(2)], ["unreserve", one(2)]),
      log("reservation:R3", ["reserve", two()], ["release", two()]),
      log("reservation:R4", ["reserve", one(4)], ["release", one(4)]),
      log("reservation:R5", ["reserve", one(4)], ["commit", one(4)]),
      log("reservation:R7", ["reserve", one(1)], ["release", one(1)]),
      log("transfer:C6", ["cancellation", one(4)]),
      log("transfer:C8", ["return", one(1)]),
      log("transfer:9", ["write-off", one(1)]),
      log("transfer:10", ["write-off", one(2)], ["undo-write-off", one(2)]),
    ]),
    orders: new Map([
      order("1", "confirmed", two()),
      order("5", "cancelled", one(4), { cancelledBy: "C6" }),
      order("7", "expired", one(1)),
    ]),
    confirmations: new Map([confirmation("1", two(), 8), confirmation("5", one(4), 6.9)]),
    journal: [
      { step: "open", id: "opening-stock", at, asked: {}, status: 200, answer: { codes: 2, opened: 2 } },
      { step: "reserve", id: "R1", at, asked: asked(two()), status: 201, answer: { id: "R1", status: "reserved" } },
      {
        step: "place",
        id: "1",
        at,
        asked: { reservationId: "R1", ...asked(two()), value: 8 },
        status: 202,
        answer: { id: "1", status: "placed" },
      },
      {
        step: "reserve",
        id: "R2",
        at,
        asked: asked(two()),
        status: 409,
        answer: { id: "R2", status: "refused", shortOf: "10002" },
      },
      { step: "reserve", id: "R3", at, asked: asked(two()), status: 201, answer: { id: "R3", status: "reserved" } },
      { step: "cancel-reservation", id: "R3", at, asked: {}, status: 202, answer: { id: "R3" } },
      { step: "reserve", id: "R4", at, asked: asked(one(4)), status: 409, answer: { id: "R4", status: "expired" } },
      { step: "reserve", id: "R5", at, asked: asked(one(4)), status: 201, answer: { id: "R5", status: "reserved" } },
      {
        step: "place",
        id: "5",
        at,
        asked: { reservationId: "R5", ...asked(one(4)), value: 6.9 },
        status: 202,
        answer: { id: "5", status: "placed" },
      },
      {
        step: "cancel-order",
        id: "C6",
        at,
        asked: { orderId: "5", ...asked(one(4)) },
        status: 200,
        answer: { id: "5", status: "cancelled" },
      },
      { step: "reserve", id: "R7", at, asked: asked(one(1)), status: 201, answer: { id: "R7", status: "reserved" } },
      {
        step: "place",
        id: "7",
        at,
        asked: { reservationId: "R7", ...asked(one(1)), value: 3.6 },
        status: 202,
        answer: { id: "7", status: "placed" },
      },
      {
        step: "cancel-order",
        id: "C11",
        at,
        asked: { orderId: "7", ...asked(one(1)) },
        status: 409,
        answer: { error: { code: "not-sold", message: "" } },
      },
      { step: "return", id: "C8", at, asked: asked(one(1)), status: 200, answer: { id: "C8", status: "done" } },
      { step: "write-off", id: "9", at, asked: asked(one(1)), status: 200, answer: { id: "9", status: "done" } },
      { step: "write-off", id: "10", at, asked: asked(two()), status: 409, answer: { id: "10", status: "refused" } },
    ],
    unreadable: [],
  };
}
