import { beforeEach, expect, it } from "vitest";
import type { Invoice } from "../model/invoice.ts";
import type { TransferAnswer } from "../model/stock-methods.ts";
import { MemoryStore } from "../store/memory-store.fixture.ts";
import { OrderBook } from "./order-book.ts";

function invoice(id: string, ...lines: [code: string, quantity: number][]): Invoice {
  return {
    id,
    placedAt: "2026-03-02 09:00:00",
    customer: "1",
    country: "Ireland",
    lines: lines.map(([code, quantity]) => ({ code, description: "", quantity, unitPrice: 1.5 })),
  };
}

const ORDER = invoice("1", ["10001", 2], ["POST", 1]);
let announced: unknown[];
let transferred: unknown[];
let answer: TransferAnswer;
let book: OrderBook;

beforeEach(() => {
  announced = [];
  transferred = [];
  answer = { status: "done" };
  book = new OrderBook({
    store: new MemoryStore(),
    announce: async (order) => void announced.push(order),
    transfer: async (request) => {
      transferred.push(request);
      return await Promise.resolve(answer);
    },
  });
});

const place = async () => await book.place({ invoice: ORDER, reservationId: "r1" });
const conclude = async (status: "confirmed" | "rejected" | "expired") => await book.conclude({ id: "1", status });
const cancel = async (by: Invoice) => await book.cancel({ id: "1", invoice: by });

it("keeps an order and tells of its goods, again while it is still placed", async () => {
  const order = { id: "1", status: "placed", reservationId: "r1", value: 4.5 };
  expect(await place()).toEqual({ order });
  expect(await place()).toEqual({ order });
  const message = { orderId: "1", reservationId: "r1", lines: [{ code: "10001", quantity: 2 }], value: 4.5 };
  expect(announced).toEqual([message, message]);
  await conclude("confirmed");
  expect(await place()).toEqual({ order: { ...order, status: "confirmed" } });
  expect(announced).toHaveLength(2);
  expect(await book.find("1")).toEqual({ order: { ...order, status: "confirmed", invoice: ORDER } });
  expect(await book.find("2")).toEqual({ order: null });
});

it("keeps the first order of a number", async () => {
  await place();
  expect(await book.place({ invoice: ORDER, reservationId: "r2" })).toEqual({
    refusal: "order-taken",
    message: "order 1 has been placed with reservation r1 already",
  });
  expect(await book.place({ invoice: invoice("C1", ["10001", -2]), reservationId: "r2" })).toMatchObject({
    refusal: "not-an-order",
  });
});

it("ends an order once", async () => {
  expect(await conclude("expired")).toMatchObject({ refusal: "order-not-found" });
  await place();
  expect(await conclude("expired")).toMatchObject({ order: { status: "expired" } });
  expect(await conclude("expired")).toMatchObject({ order: { status: "expired" } });
  expect(await conclude("confirmed")).toEqual({
    refusal: "already-concluded",
    message: "order 1 has ended as expired: it cannot be confirmed too",
  });
});

it("cancels a confirmed order, once, for one invoice", async () => {
  const back = invoice("C1", ["10001", -1]);
  expect(await cancel(back)).toMatchObject({ refusal: "order-not-found" });
  await place();
  expect(await cancel(back)).toMatchObject({ refusal: "not-confirmed-yet" });
  await conclude("confirmed");
  expect(await cancel(ORDER)).toMatchObject({ refusal: "not-a-cancellation" });
  expect(await cancel(invoice("C1", ["10001", -3]))).toMatchObject({ refusal: "not-its-goods" });
  expect(transferred).toEqual([]);

  const order = { id: "1", status: "cancelled", reservationId: "r1", value: 4.5, cancelledBy: "C1" };
  expect(await cancel(back)).toEqual({ order });
  expect(await cancel(back)).toEqual({ order });
  const lines = [{ code: "10001", quantity: 1 }];
  expect(transferred).toEqual([{ id: "C1", kind: "cancellation", lines, orderId: "1" }]);
  expect(await cancel(invoice("C2", ["10001", -1]))).toMatchObject({ refusal: "already-cancelled" });
  // The message that had it confirmed may come again.
  expect(await conclude("confirmed")).toEqual({ order });
});

it("does not cancel what was never sold", async () => {
  await place();
  await conclude("rejected");
  expect(await cancel(invoice("C1", ["10001", -1]))).toEqual({
    refusal: "not-sold",
    message: "order 1 is rejected: it was never sold",
  });
});

it("lets another cancellation follow one that the stock service refused", async () => {
  await place();
  await conclude("confirmed");
  answer = { status: "mismatched" };
  expect(await cancel(invoice("C1", ["10001", -1]))).toMatchObject({ refusal: "id-taken" });
  answer = { status: "refused", shortOf: "10001" };
  expect(await cancel(invoice("C2", ["10001", -1]))).toMatchObject({ refusal: "not-sold" });
  answer = { status: "done" };
  expect(await cancel(invoice("C3", ["10001", -1]))).toMatchObject({
    order: { status: "cancelled", cancelledBy: "C3" },
  });
});
