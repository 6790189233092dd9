import type { Confirmation, Entry, Item, JournalEntry, Order, Transfer } from "./records.ts";

/** Books as `Books` has them, open to damage. */
export interface OpenBooks {
  items: Map<string, Item>;
  transfers: Map<string, Transfer>;
  log: Map<string, Entry[]>;
  orders: Map<string, Order>;
  confirmations: Map<string, Confirmation>;
  opening: Map<string, number>;
  journal: JournalEntry[];
  unreadable: string[];
}

type Lines = Transfer["lines"];

const at = "2026-03-02T09:00:00.000Z";
const one = (quantity: number) => [{ code: "10001", quantity }];
const two = () => [
  { code: "10001", quantity: 2 },
  { code: "10002", quantity: 3 },
];

function log(code: string, ...entries: [owner: string, kind: string, quantity: number][]): [string, Entry[]] {
  return [code, entries.map(([owner, kind, quantity], n) => ({ code, owner, n, kind, quantity, at }))];
}

function invoice(id: string, lines: Lines): Order["invoice"] {
  const goods = lines.map((line) => ({ ...line, unitPrice: 1.1 }));
  return { id, lines: [...goods, { code: "POST", quantity: 1, unitPrice: 2.5 }] };
}

/** With the statuses that it has had. */
function order(id: string, steps: string, lines: Lines, more: Partial<Order> = {}): [string, Order] {
  const units = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  const value = Math.round((units * 1.1 + 2.5) * 100) / 100;
  const history = steps.split(" ").map((status) => ({ status, at }));
  const { status } = history.at(-1)!;
  return [id, { id, status, value, expiresAt: Date.parse(at), invoice: invoice(id, lines), history, ...more }];
}

function transfer(id: string, kind: string, status: string, lines: Lines, more: Partial<Transfer> = {}) {
  return [id, { id, kind, status, lines, ...more }] as [string, Transfer];
}

function confirmation(id: string, lines: Lines, value: number): [string, Confirmation] {
  return [id, { orderId: id, lines, value }];
}

/**
 * Books in order, with one of everything: order 1 confirmed, 2 rejected half of the way, 3 cancelled by the customer, 4
 * abandoned, 5 confirmed and then refunded by C6; a return, a write-off and a refused write-off.
 */
export function goodBooks(): OpenBooks {
  const asked = (lines: Lines) => ({ lines });
  const SOLD = "placed reserved paid confirmed";
  return {
    opening: new Map([
      ["10001", 10],
      ["10002", 5],
    ]),
    items: new Map([
      ["10001", { opening: 10, onHand: 8, reserved: 0, sold: 2, writtenOff: 1, returned: 1, lowest: 3, entries: 16 }],
      ["10002", { opening: 5, onHand: 2, reserved: 0, sold: 3, writtenOff: 0, returned: 0, lowest: 0, entries: 6 }],
    ]),
    transfers: new Map<string, Transfer>([
      transfer("C8", "return", "done", one(1)),
      transfer("9", "write-off", "done", one(1)),
      transfer("10", "write-off", "refused", two(), { shortOf: "10002" }),
    ]),
    log: new Map([
      log(
        "10001",
        ["order:1", "reserve", 2],
        ["order:1", "sell", 2],
        ["order:2", "reserve", 2],
        ["order:2", "release", 2],
        ["order:3", "reserve", 2],
        ["order:3", "release", 2],
        ["order:4", "reserve", 4],
        ["order:4", "release", 4],
        ["order:5", "reserve", 4],
        ["order:5", "sell", 4],
        ["order:5", "refund", 4],
        ["transfer:C8", "return", 1],
        ["transfer:9", "reserve", 1],
        ["transfer:9", "write-off", 1],
        ["transfer:10", "reserve", 2],
        ["transfer:10", "release", 2],
      ),
      log(
        "10002",
        ["order:1", "reserve", 3],
        ["order:1", "sell", 3],
        ["order:2", "release", 0],
        ["order:3", "reserve", 2],
        ["order:3", "release", 2],
        ["transfer:10", "release", 0],
      ),
    ]),
    orders: new Map([
      order("1", SOLD, two()),
      order("2", "placed rejecting rejected", two(), { shortOf: "10002" }),
      order("3", "placed reserved cancelling cancelled", [...one(2), { code: "10002", quantity: 2 }]),
      order("4", "placed reserved expiring expired", one(4)),
      order("5", `${SOLD} refunding refunded`, one(4), { refundedBy: "C6", refund: invoice("C6", one(-4)) }),
    ]),
    confirmations: new Map([confirmation("1", two(), 8), confirmation("5", one(4), 6.9)]),
    journal: [
      { step: "open", id: "opening-stock", at, asked: {}, status: 200, answer: { codes: 2, opened: 2 } },
      { step: "place", id: "1", at, asked: { ...asked(two()), value: 8 }, status: 201, answer: { status: "reserved" } },
      { step: "pay", id: "1", at, asked: {}, status: 202, answer: { status: "paid" } },
      {
        step: "place",
        id: "2",
        at,
        asked: { ...asked(two()), value: 8 },
        status: 409,
        answer: { status: "rejected", shortOf: "10002" },
      },
      {
        step: "place",
        id: "3",
        at,
        asked: { ...asked([...one(2), { code: "10002", quantity: 2 }]), value: 6.9 },
        status: 201,
        answer: {},
      },
      { step: "cancel", id: "3", at, asked: {}, status: 200, answer: { status: "cancelled" } },
      { step: "place", id: "4", at, asked: { ...asked(one(4)), value: 6.9 }, status: 201, answer: {} },
      { step: "pay", id: "4", at, asked: {}, status: 409, answer: { error: { code: "order-ended", message: "" } } },
      { step: "place", id: "5", at, asked: { ...asked(one(4)), value: 6.9 }, status: 201, answer: {} },
      { step: "pay", id: "5", at, asked: {}, status: 202, answer: { status: "paid" } },
      {
        step: "refund",
        id: "C6",
        at,
        asked: { orderId: "5", ...asked(one(4)) },
        status: 200,
        answer: { status: "refunded" },
      },
      {
        step: "refund",
        id: "C11",
        at,
        asked: { orderId: "4", ...asked(one(1)) },
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
