import { expect, it } from "vitest";
import type { Invoice } from "../model/invoice.ts";
import type { OrderPaid } from "../model/messages.ts";
import type { OrderRecord } from "../model/order.ts";
import { OrderLife, type OrderPorts } from "./order-life.ts";
import { Shelves } from "./shelves.fixture.ts";

const LIFETIME_MS = 10_000;

function invoice(id: string, ...lines: [code: string, quantity: number][]): Invoice {
  const goods = lines.map(([code, quantity]) => ({ code, description: "", quantity, unitPrice: 1.5 }));
  return { id, placedAt: "2026-03-02 09:00:00", customer: "1", country: "Ireland", lines: goods };
}
const ORDER = invoice("1", ["10001", 2], ["10002", 1]);
const BACK = invoice("C9", ["10001", -1]);

/** An order with shelves, a clock and a reminder of its own. */
function orderOf(units: Readonly<Record<string, number>> = { "10001": 5, "10002": 5 }) {
  const shelves = new Shelves(units);
  const world = {
    shelves,
    stored: undefined as OrderRecord | undefined,
    nowMs: 0,
    /** When the reminder comes first; undefined when there is none. */
    remindedMs: undefined as number | undefined,
    announced: [] as OrderPaid[],
    /** What fails when it is called, until it is taken out. */
    broken: new Set<"move" | "announce" | "forget">(),
    statuses: () => world.stored?.history.map(({ status }) => status).join(" "),
  };
  const fail = (what: "move" | "announce" | "forget"): void => {
    if (world.broken.has(what)) throw new Error(`${what}: away`);
  };
  const ports: OrderPorts = {
    id: "1",
    load: async () => await Promise.resolve(world.stored),
    save: async (order) => void (world.stored = await Promise.resolve(order)),
    move: async (kind, lines) => {
      await Promise.resolve();
      for (const [index, line] of lines.entries()) {
        if (index > 0) fail("move");
        if (!shelves.move("order:1", kind, line)) return line.code;
      }
      return undefined;
    },
    announce: async (order) => {
      fail("announce");
      world.announced.push(await Promise.resolve(order));
    },
    remind: async (afterMs) => void (world.remindedMs = await Promise.resolve(world.nowMs + afterMs)),
    forget: async () => {
      fail("forget");
      world.remindedMs = await Promise.resolve(undefined);
    },
    now: () => world.nowMs,
    lifetimeMs: () => LIFETIME_MS,
  };
  return Object.assign(world, { life: new OrderLife(ports) });
}

it("is reserved, paid, confirmed and refunded", async () => {
  const order = orderOf();
  expect(await order.life.place({ invoice: ORDER })).toEqual({
    order: { id: "1", status: "reserved", value: 4.5, expiresAt: LIFETIME_MS },
  });
  expect(order.shelves.books.get("10001")).toMatchObject({ onHand: 3, reserved: 2 });
  expect(order.remindedMs).toBe(LIFETIME_MS);

  expect(await order.life.pay()).toMatchObject({ order: { status: "paid" } });
  const lines = [
    { code: "10001", quantity: 2 },
    { code: "10002", quantity: 1 },
  ];
  expect(order.announced).toEqual([{ orderId: "1", lines, value: 4.5 }]);
  expect(await order.life.confirm()).toMatchObject({ order: { status: "confirmed" } });
  expect(order.shelves.books.get("10001")).toMatchObject({ onHand: 3, reserved: 0, sold: 2 });
  expect(order.remindedMs).toBeUndefined();

  expect(await order.life.refund({ invoice: BACK })).toMatchObject({ order: { status: "refunded", refundedBy: "C9" } });
  expect(order.shelves.books.get("10001")).toMatchObject({ onHand: 4, sold: 1 });
  expect(order.statuses()).toBe("placed reserved paid confirmed refunding refunded");
});

it("does nothing the second time", async () => {
  const order = orderOf();
  for (const step of [
    async () => await order.life.place({ invoice: ORDER }),
    async () => await order.life.pay(),
    async () => await order.life.confirm(),
    async () => await order.life.refund({ invoice: BACK }),
  ]) {
    const first = await step();
    const { stored } = order;
    expect(await step()).toEqual(first);
    expect(order.stored).toBe(stored);
  }
  expect(await order.life.place({ invoice: ORDER })).toMatchObject({ order: { status: "refunded" } });
  // Whoever heard of it twice, hears of it twice.
  expect(order.announced).toHaveLength(2);
});

it("gives everything back where one code is short", async () => {
  const order = orderOf({ "10001": 5, "10002": 0 });
  const rejected = { order: { id: "1", status: "rejected", value: 4.5, expiresAt: LIFETIME_MS, shortOf: "10002" } };
  expect(await order.life.place({ invoice: ORDER })).toEqual(rejected);
  expect(await order.life.place({ invoice: ORDER })).toEqual(rejected);
  expect(order.shelves.books.get("10001")).toMatchObject({ onHand: 5, reserved: 0 });
  expect(order.remindedMs).toBeUndefined();
});

it("expires when it is not paid in time, and not before", async () => {
  const order = orderOf();
  await order.life.place({ invoice: ORDER });
  order.nowMs = LIFETIME_MS - 1;
  await order.life.carryOn();
  expect(order.stored?.status).toBe("reserved");
  order.nowMs = LIFETIME_MS;
  await order.life.carryOn();
  expect(order.statuses()).toBe("placed reserved expiring expired");
  expect(order.shelves.books.get("10001")).toMatchObject({ onHand: 5, reserved: 0 });
  expect(order.remindedMs).toBeUndefined();
  expect(await order.life.pay()).toMatchObject({ refusal: "order-ended" });
});

it("does not expire once it is paid: the reminder tells of it again", async () => {
  const order = orderOf();
  await order.life.place({ invoice: ORDER });
  order.broken.add("announce");
  await expect(order.life.pay()).rejects.toThrow("away");
  order.broken.clear();
  order.nowMs = LIFETIME_MS;
  await order.life.carryOn();
  expect(order.stored?.status).toBe("paid");
  expect(order.announced).toHaveLength(1);
});

it("is carried on by whoever comes next, after it was cut off", async () => {
  const order = orderOf();
  order.broken.add("move");
  await expect(order.life.place({ invoice: ORDER })).rejects.toThrow("away");
  expect(order.shelves.books.get("10001")).toMatchObject({ reserved: 2 });
  order.broken.clear();
  expect(await order.life.pay()).toMatchObject({ order: { status: "paid" } });
  expect(order.shelves.books.get("10002")).toMatchObject({ reserved: 1 });
});

it("forgets its reminder with the next one where it could not before", async () => {
  const order = orderOf();
  await order.life.place({ invoice: ORDER });
  order.broken.add("forget");
  await expect(order.life.cancel()).rejects.toThrow("away");
  expect(order.stored?.status).toBe("cancelled");
  order.broken.clear();
  await order.life.carryOn();
  expect(order.remindedMs).toBeUndefined();
});

it("is cancelled by the customer, unless it is paid", async () => {
  const order = orderOf();
  await order.life.place({ invoice: ORDER });
  expect(await order.life.cancel()).toMatchObject({ order: { status: "cancelled" } });
  expect(order.shelves.books.get("10001")).toMatchObject({ onHand: 5, reserved: 0 });
  const paid = orderOf();
  await paid.life.place({ invoice: ORDER });
  await paid.life.pay();
  expect(await paid.life.cancel()).toMatchObject({ refusal: "already-paid" });
});

it("says why not", async () => {
  const order = orderOf();
  for (const asked of [
    order.life.pay(),
    order.life.confirm(),
    order.life.cancel(),
    order.life.refund({ invoice: BACK }),
  ]) {
    expect(await asked).toMatchObject({ refusal: "order-not-found" });
  }
  expect(await order.life.find()).toEqual({ order: null });
  expect(await order.life.place({ invoice: BACK })).toMatchObject({ refusal: "not-an-order" });
  await order.life.place({ invoice: ORDER });
  expect(await order.life.place({ invoice: invoice("1", ["10001", 1]) })).toMatchObject({ refusal: "order-taken" });
  expect(await order.life.refund({ invoice: ORDER })).toMatchObject({ refusal: "not-a-refund" });
  expect(await order.life.refund({ invoice: BACK })).toMatchObject({ refusal: "not-confirmed-yet" });
  await order.life.pay();
  await order.life.confirm();
  expect(await order.life.refund({ invoice: invoice("C2", ["10001", -3]) })).toMatchObject({
    refusal: "not-its-goods",
  });
  await order.life.refund({ invoice: BACK });
  const second = { invoice: invoice("C10", ["10001", -1]) };
  expect(await order.life.refund(second)).toMatchObject({ refusal: "already-refunded" });

  const gone = orderOf();
  await gone.life.place({ invoice: ORDER });
  await gone.life.cancel();
  expect(await gone.life.refund({ invoice: BACK })).toMatchObject({ refusal: "not-sold" });
});
