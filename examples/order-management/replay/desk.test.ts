import { expect, it } from "vitest";
import type { Invoice } from "../model/invoice.ts";
import { Desk } from "./desk.ts";
import { type Answer, GivenUpError } from "./facade-client.ts";
import type { Outcome, Question } from "./journal.ts";
import type { Task } from "./plan.ts";

const invoice: Invoice = {
  id: "1",
  placedAt: "",
  customer: "",
  country: "",
  lines: [
    { code: "10001", description: "", quantity: 2, unitPrice: 1.5 },
    { code: "POST", description: "", quantity: 1, unitPrice: 4 },
  ],
};
const lines = [{ code: "10001", quantity: 2 }];
const cancellation: Invoice = { ...invoice, id: "C2" };

type Answers = Readonly<Record<string, readonly (Partial<Answer> | Error)[]>>;

/** A desk before a façade that answers each request with the next of its answers, and with the last one for ever. */
function deskBefore(answers: Answers) {
  const sent: string[] = [];
  const written: (Question & Outcome)[] = [];
  const facade = {
    send: async (method: string, path: string): Promise<Answer> => {
      const request = `${method} ${path}`;
      const known = answers[request] ?? [];
      const answer = known[Math.min(sent.filter((one) => one === request).length, known.length - 1)];
      sent.push(request);
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error(`unexpected: ${request}`);
      return await Promise.resolve({ status: 200, body: {}, attempts: 1, ms: 10, ...answer });
    },
  };
  const journal = { write: (question: Question, outcome: Outcome) => written.push({ ...question, ...outcome }) };
  return { desk: new Desk(facade, journal, new AbortController().signal), sent, written };
}

const PLACED = { "POST /orders": [{ status: 201, body: { status: "reserved" } }] } as const;
const PAID = { "POST /orders/1/payment": [{ status: 202, body: { status: "paid" } }] } as const;

it("places an order, then pays it, and writes each answer down before the next question", async () => {
  const { desk, sent, written } = deskBefore({ ...PLACED, ...PAID });
  await desk.perform({ kind: "order", invoice, fate: "paid" });
  expect(sent).toEqual(["POST /orders", "POST /orders/1/payment"]);
  expect(written).toMatchObject([
    { step: "place", id: "1", asked: { lines, value: 7 }, status: 201, answer: { status: "reserved" }, ms: 10 },
    { step: "pay", id: "1", asked: {}, status: 202 },
  ]);
  expect(desk.timing).toEqual({ latenciesMs: [10, 10], retried: 0 });
});

it.each<[string, Task, Answers, string[]]>([
  [
    "that is rejected",
    { kind: "order", invoice, fate: "paid" },
    { "POST /orders": [{ status: 409, body: { status: "rejected" } }] },
    ["POST /orders"],
  ],
  ["that is abandoned", { kind: "order", invoice, fate: "abandoned" }, PLACED, ["POST /orders"]],
  [
    "that the customer cancels",
    { kind: "order", invoice, fate: "cancelled" },
    { ...PLACED, "DELETE /orders/1": [{ status: 200 }] },
    ["POST /orders", "DELETE /orders/1"],
  ],
])("pays no order %s", async (_what, task, answers, requests) => {
  const { desk, sent, written } = deskBefore(answers);
  await desk.perform(task);
  expect(sent).toEqual(requests);
  expect(written).toHaveLength(requests.length);
});

it("takes no for an answer where it paid too late", async () => {
  const { desk, written } = deskBefore({ ...PLACED, "POST /orders/1/payment": [{ status: 409 }] });
  await desk.perform({ kind: "order", invoice, fate: "paid" });
  expect(written).toMatchObject([{ step: "place" }, { step: "pay", status: 409 }]);
});

it("has an order refunded once it is confirmed", async () => {
  const early = { status: 409, body: { error: { code: "not-confirmed-yet" } } };
  const { desk, sent, written } = deskBefore({ "POST /orders/1/refund": [early, early, { status: 200 }] });
  await desk.perform({ kind: "refund", invoice: cancellation, orderId: "1" });
  expect(sent).toHaveLength(3);
  expect(written).toMatchObject([{ step: "refund", id: "C2", asked: { orderId: "1", lines }, status: 200 }]);
});

it("takes no for an answer where an order was never sold", async () => {
  const never = { status: 409, body: { error: { code: "not-sold" } } };
  const { desk, written } = deskBefore({ "POST /orders/1/refund": [never] });
  await desk.perform({ kind: "refund", invoice: cancellation, orderId: "1" });
  expect(written).toMatchObject([{ step: "refund", status: 409, answer: never.body }]);
});

it("refunds no order whose own task has not ended", async () => {
  const { desk, sent } = deskBefore({ ...PLACED, ...PAID, "POST /orders/1/refund": [{ status: 200 }] });
  await Promise.all([
    desk.perform({ kind: "order", invoice, fate: "paid" }),
    desk.perform({ kind: "refund", invoice: cancellation, orderId: "1" }),
  ]);
  expect(sent).toEqual(["POST /orders", "POST /orders/1/payment", "POST /orders/1/refund"]);
});

it.each<["return" | "write-off", string]>([
  ["return", "POST /returns"],
  ["write-off", "POST /write-offs"],
])("sends a %s", async (kind, request) => {
  const { desk, sent, written } = deskBefore({ [request]: [{ status: 200 }] });
  await desk.perform({ kind, invoice });
  expect(sent).toEqual([request]);
  expect(written).toMatchObject([{ step: kind, id: "1", asked: { lines }, status: 200 }]);
});

it("writes down what was never answered, and counts what had to be repeated", async () => {
  const { desk, written } = deskBefore({
    "POST /returns": [{ attempts: 3, ms: 400 }],
    "POST /write-offs": [new GivenUpError("POST /write-offs: no", 9, 90_000, undefined)],
  });
  await desk.perform({ kind: "return", invoice });
  await expect(desk.perform({ kind: "write-off", invoice })).rejects.toThrow(GivenUpError);
  expect(written).toMatchObject([
    { step: "return", status: 200, attempts: 3 },
    { step: "write-off", status: 0, error: "POST /write-offs: no", attempts: 9 },
  ]);
  expect(desk.timing).toEqual({ latenciesMs: [], retried: 1 });
});

it("needs its shelves filled", async () => {
  const filled = deskBefore({ "POST /opening-stock": [{ status: 200 }] });
  await filled.desk.open({ items: { "10001": 5 } });
  expect(filled.written).toMatchObject([{ step: "open", status: 200 }]);
  const refused = deskBefore({ "POST /opening-stock": [{ status: 401 }] });
  await expect(refused.desk.open({ items: {} })).rejects.toThrow("the shelves were not filled");
});
