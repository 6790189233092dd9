import { expect, it } from "vitest";
import type { Invoice } from "../model/invoice.ts";
import { type Movement, newMovement } from "../model/movement.ts";
import type { OrderReceipt, OrderRecord, OrderStatus } from "../model/order.ts";
import type { StockItem } from "../model/stock.ts";
import { audit, type Evidence } from "./audit.ts";

function invoice(id: string, code: string, quantity: number): Invoice {
  const lines = [
    { code, description: "", quantity, unitPrice: 1 },
    { code: "POST", description: "", quantity: Math.sign(quantity), unitPrice: 1 },
  ];
  return { id, placedAt: "", customer: "", country: "", lines };
}

/** Evidence of four orders after which everything is right; each test breaks one part of it. */
function evidence() {
  const invoices = [
    invoice("1", "10001", 3),
    invoice("2", "10001", 3),
    invoice("C3", "10001", -1),
    invoice("4", "10001", -2),
  ];
  const orders = new Map<string, OrderRecord>();
  const receipts = new Map<string, OrderReceipt>();
  const movements = new Map<string, Movement>();
  const end = (index: number, status: OrderStatus, announcedOn: string): void => {
    const { id } = invoices[index]!;
    orders.set(id, { id, status, value: 0, invoice: invoices[index]! });
    receipts.set(id, { id, status, value: 0 });
    const final =
      status === "rejected" ? ({ phase: "refused", moved: 0 } as const) : ({ phase: "done", moved: 1 } as const);
    movements.set(id, { ...newMovement({ orderId: id, direction: "out", lines: [] }), ...final, announcedOn });
  };
  end(0, "placed", "order-placed");
  end(1, "rejected", "order-rejected");
  end(2, "cancelled", "order-cancelled");
  end(3, "written-off", "stock-written-off");
  const items = new Map<string, StockItem>([["10001", { onHand: 1, lowest: 0 }]]);
  return {
    invoices,
    opening: { items: { "10001": 5 } },
    replay: { receipts, failures: new Map<string, string>() },
    books: { orders, movements, items },
  } satisfies Evidence;
}

function problems(broken: Evidence): string[] {
  return audit(broken).flatMap((check) => check.problems);
}

it("finds nothing in right books, and says how much it examined", () => {
  expect(problems(evidence())).toEqual([]);
  expect(audit(evidence()).map((check) => check.examined)).toEqual([4, 4, 4, 1, 1]);
});

it.each<[string, (books: ReturnType<typeof evidence>) => void, string]>([
  ["a failure", ({ replay }) => replay.failures.set("1", "timeout"), "1: failed: timeout"],
  ["an order without an answer", ({ replay }) => replay.receipts.delete("1"), "1: no answer"],
  [
    "an answer that is not what was kept",
    ({ replay }) => replay.receipts.set("2", { id: "2", status: "placed", value: 0 }),
    "2: answered placed, kept rejected",
  ],
  ["a lost order", ({ books }) => books.orders.delete("2"), "2: the façade has no such order"],
  ["a lost movement", ({ books }) => books.movements.delete("2"), "2: the stock service has no such order"],
  [
    "an order that ended as another kind",
    ({ books }) => (books.orders.get("1")!.status = "cancelled"),
    "1: ended as cancelled",
  ],
  ["an order on its way", ({ books }) => (books.movements.get("1")!.phase = "moving"), "1: placed, its goods moving"],
  ["half an order", ({ books }) => (books.movements.get("1")!.moved = 0), "1: placed, 0 of 1 lines moved"],
  [
    "goods of a rejected order",
    ({ books }) => (books.movements.get("2")!.moved = 1),
    "2: rejected, 1 of 0 lines moved",
  ],
  ["a lost event", ({ books }) => delete books.movements.get("1")!.announcedOn, "1: its event never arrived"],
  [
    "an event on another topic",
    ({ books }) => (books.movements.get("1")!.announcedOn = "order-rejected"),
    "1: placed, but heard of on order-rejected",
  ],
  ["stock below zero", ({ books }) => (books.items.get("10001")!.lowest = -1), "10001: was at -1"],
  ["a lost code", ({ books }) => books.items.delete("10001"), "10001: the stock service has no such code"],
  ["a unit too many", ({ books }) => (books.items.get("10001")!.onHand = 2), "10001: 2 on hand instead of 1"],
])("finds %s", (_what, damage, problem) => {
  const books = evidence();
  damage(books);
  expect(problems(books)).toContain(problem);
});
