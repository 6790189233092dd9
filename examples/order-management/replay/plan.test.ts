import { expect, it } from "vitest";
import type { Invoice } from "../model/invoice.ts";
import { planFor } from "./plan.ts";

function invoice(id: string, customer: string, ...lines: [code: string, quantity: number][]): Invoice {
  return {
    id,
    placedAt: "",
    customer,
    country: "",
    lines: lines.map(([code, quantity]) => ({ code, description: "", quantity, unitPrice: 1 })),
  };
}

/** Which order each cancellation takes goods of; undefined for a return. */
function ordersOf(...invoices: Invoice[]): (string | undefined)[] {
  return planFor(invoices, 1).flatMap((task) => {
    if (task.kind === "refund") return [task.orderId];
    return task.kind === "return" ? [undefined] : [];
  });
}

it("keeps the order and says what each invoice is", () => {
  const invoices = [invoice("1", "a", ["10001", 1]), invoice("C2", "", ["10001", -1]), invoice("3", "", ["10001", -1])];
  const plan = planFor(invoices, 1);
  expect(plan.map(({ kind }) => kind)).toEqual(["order", "return", "write-off"]);
  expect(plan.map(({ invoice: one }) => one)).toEqual(invoices);
});

it.each([
  ["all goods of the order", [invoice("1", "a", ["10001", 2]), invoice("C2", "a", ["10001", -2])], ["1"]],
  [
    "some of its goods, also spread over lines",
    [invoice("1", "a", ["10001", 2], ["10002", 1]), invoice("C2", "a", ["10001", -1], ["10001", -1])],
    ["1"],
  ],
  ["goods and money", [invoice("1", "a", ["10001", 2]), invoice("C2", "a", ["10001", -1], ["POST", -1])], ["1"]],
  [
    "the last order that holds them",
    [
      invoice("1", "a", ["10001", 2]),
      invoice("2", "a", ["10001", 2]),
      invoice("3", "a", ["10002", 2]),
      invoice("C4", "a", ["10001", -1]),
    ],
    ["2"],
  ],
  [
    "an order that no other cancellation took",
    [
      invoice("1", "a", ["10001", 2]),
      invoice("2", "a", ["10001", 2]),
      invoice("C3", "a", ["10001", -1]),
      invoice("C4", "a", ["10001", -1]),
      invoice("C5", "a", ["10001", -1]),
    ],
    ["2", "1", undefined],
  ],
])("finds the order of a cancellation: %s", (_what, invoices, orders) => {
  expect(ordersOf(...invoices)).toEqual(orders);
});

it.each([
  ["of another customer", [invoice("1", "a", ["10001", 2]), invoice("C2", "b", ["10001", -1])]],
  ["of nobody", [invoice("1", "", ["10001", 2]), invoice("C2", "", ["10001", -1])]],
  ["of more than was ordered", [invoice("1", "a", ["10001", 2]), invoice("C2", "a", ["10001", -3])]],
  [
    "of goods from two orders",
    [
      invoice("1", "a", ["10001", 2]),
      invoice("2", "a", ["10002", 2]),
      invoice("C3", "a", ["10001", -1], ["10002", -1]),
    ],
  ],
  ["of an order that comes later", [invoice("C1", "a", ["10001", -1]), invoice("2", "a", ["10001", 2])]],
  ["of a write-off", [invoice("1", "a", ["10001", -2]), invoice("C2", "a", ["10001", -1])]],
  ["of money only", [invoice("1", "a", ["10001", 2]), invoice("C2", "a", ["D", -1])]],
])("takes a cancellation for a return: %s", (_what, invoices) => {
  expect(ordersOf(...invoices)).toEqual([undefined]);
});

function fates(invoices: readonly Invoice[], seed: number): Record<string, string[]> {
  const byFate: Record<string, string[]> = { paid: [], cancelled: [], abandoned: [] };
  for (const task of planFor(invoices, seed)) if (task.kind === "order") byFate[task.fate]?.push(task.invoice.id);
  return byFate;
}

it("draws fates with the seed, and none for orders that are refunded later or have no goods", () => {
  const orders = Array.from({ length: 200 }, (_, index) => invoice(String(index), `c${index}`, ["10001", 1]));
  const { paid, cancelled, abandoned } = fates(orders, 1);
  expect([paid!.length, cancelled!.length, abandoned!.length]).toEqual([182, 6, 12]);
  expect(Math.max(...abandoned!.map(Number))).toBeLessThan(100);
  expect(fates(orders, 1)).toEqual(fates(orders, 1));
  expect(fates(orders, 2)).not.toEqual(fates(orders, 1));

  const kept = orders.map(({ id }, index) => invoice(`C${1_000 + Number(id)}`, `c${index}`, ["10001", -1]));
  expect(fates([...orders, ...kept], 1)["paid"]).toHaveLength(200);
  const money = Array.from({ length: 100 }, (_, index) => invoice(String(index), "", ["POST", 1]));
  expect(fates(money, 1)["paid"]).toHaveLength(100);
});
