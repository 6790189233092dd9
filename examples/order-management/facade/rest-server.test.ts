import { afterEach, expect, it, vi } from "vitest";
import type { Invoice } from "../model/invoice.ts";
import type { OrderSummary } from "../model/order.ts";
import { PeerError } from "../sdk/peer-error.ts";
import type { Peers } from "./peers.ts";
import { type Express, serveRest } from "./rest-server.ts";
import { ROUTES } from "./routes.ts";

const KEY = { "x-api-key": "right" };
const LINES = [{ code: "10001", quantity: 2 }];
const ORDER: OrderSummary = { id: "1", status: "reserved", value: 3, expiresAt: 5 };

function invoice(id: string, quantity: number): Invoice {
  const lines = [{ code: "10001", description: "", quantity, unitPrice: 1.5 }];
  return { id, placedAt: "2026-03-02 09:00:00", customer: "1", country: "Ireland", lines };
}

/** Peers that nobody expects to be asked, except for those that are given. */
function peers(answers: Partial<Peers>): Peers {
  const unexpected = async (): Promise<never> =>
    await Promise.reject(new PeerError("OrderActor 1 did not answer", "away"));
  const names = ["open", "availability", "place", "pay", "cancel", "refund", "find", "transfer"] as const;
  return { ...(Object.fromEntries(names.map((name) => [name, unexpected])) as unknown as Peers), ...answers };
}

interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What the façade answers, with as much of Express as it uses. */
async function ask(method: "get" | "post" | "delete", path: string, asked: Asked, answers: Partial<Peers> = {}) {
  type Handler = Parameters<Express["get"]>[1];
  const handlers = new Map<string, Handler>();
  const adding = (verb: string) => (at: string, handler: Handler) => void handlers.set(`${verb} ${at}`, handler);
  const express = { get: adding("get"), post: adding("post"), delete: adding("delete"), use: () => {} } as Express;
  const apiKey = { isRight: async (key: string) => await Promise.resolve(key === "right") };
  serveRest(express, { routes: ROUTES, peers: peers(answers), apiKey });
  return await new Promise<{ status: number; body: object }>((resolve) => {
    let status = 0;
    const response = {
      status: (code: number) => {
        status = code;
        return response;
      },
      json: (body: object) => resolve({ status, body }),
    };
    const { headers = KEY, params = {}, body } = asked;
    handlers.get(`${method} ${path}`)?.({ method, path, headers, params, body }, response);
  });
}

afterEach(() => void vi.restoreAllMocks());

it("answers what is on hand", async () => {
  const item = { code: "10001", onHand: 3, reserved: 1 };
  const asked = { params: { code: "10001" } };
  expect(
    await ask("get", "/availability/:code", asked, { availability: async () => await Promise.resolve({ item }) }),
  ).toEqual({ status: 200, body: item });
  const unknown: Partial<Peers> = { availability: async () => await Promise.resolve({ item: null }) };
  expect(await ask("get", "/availability/:code", asked, unknown)).toMatchObject({
    status: 404,
    body: { error: { code: "code-not-found" } },
  });
});

it.each([
  [ORDER, 201],
  [{ ...ORDER, status: "confirmed" }, 201],
  [{ ...ORDER, status: "rejected", shortOf: "10001" }, 409],
  [{ ...ORDER, status: "expired" }, 409],
] as const)("answers an order that is placed and becomes %j", async (order, status) => {
  const body = { invoice: invoice("1", 2) };
  const place: Peers["place"] = async (id, request) => {
    expect({ id, request }).toEqual({ id: "1", request: body });
    return await Promise.resolve({ order });
  };
  expect(await ask("post", "/orders", { body }, { place })).toEqual({ status, body: order });
});

it("has orders paid, cancelled and found", async () => {
  const asked = { params: { id: "1" } };
  const pay: Peers["pay"] = async () => await Promise.resolve({ order: { ...ORDER, status: "paid" } });
  expect(await ask("post", "/orders/:id/payment", asked, { pay })).toEqual({
    status: 202,
    body: { ...ORDER, status: "paid" },
  });
  const cancel: Peers["cancel"] = async () => await Promise.resolve({ refusal: "already-paid", message: "refund it" });
  expect(await ask("delete", "/orders/:id", asked, { cancel })).toEqual({
    status: 409,
    body: { error: { code: "already-paid", message: "refund it" } },
  });

  const order = { ...ORDER, invoice: invoice("1", 2), history: [] };
  expect(await ask("get", "/orders/:id", asked, { find: async () => await Promise.resolve({ order }) })).toEqual({
    status: 200,
    body: order,
  });
  expect(
    await ask("get", "/orders/:id", asked, { find: async () => await Promise.resolve({ order: null }) }),
  ).toMatchObject({ status: 404 });
});

it("has orders refunded with an invoice", async () => {
  const refunding = { params: { id: "1" }, body: { invoice: invoice("C1", -2) } };
  const refund: Peers["refund"] = async (id, request) => {
    expect({ id, request }).toEqual({ id: "1", request: refunding.body });
    return await Promise.resolve({ refusal: "not-confirmed-yet", message: "try again" });
  };
  expect(await ask("post", "/orders/:id/refund", refunding, { refund })).toEqual({
    status: 409,
    body: { error: { code: "not-confirmed-yet", message: "try again" } },
  });
});

it("moves goods of returns and write-offs under the number of the invoice", async () => {
  const transfer = vi.fn<Peers["transfer"]>(async () => await Promise.resolve({ status: "done" }));
  expect(await ask("post", "/returns", { body: { invoice: invoice("C1", -2) } }, { transfer })).toEqual({
    status: 200,
    body: { id: "C1", status: "done" },
  });
  expect(transfer).toHaveBeenLastCalledWith("C1", { kind: "return", lines: LINES });
  transfer.mockResolvedValue({ status: "refused", shortOf: "10001" });
  expect(await ask("post", "/write-offs", { body: { invoice: invoice("9", -2) } }, { transfer })).toEqual({
    status: 409,
    body: { id: "9", status: "refused", shortOf: "10001" },
  });
  expect(transfer).toHaveBeenLastCalledWith("9", { kind: "write-off", lines: LINES });
  transfer.mockResolvedValue({ status: "mismatched" });
  expect(await ask("post", "/returns", { body: { invoice: invoice("C1", -2) } }, { transfer })).toMatchObject({
    status: 409,
    body: { error: { code: "id-taken" } },
  });
  for (const [path, one] of [
    ["/returns", invoice("9", -2)],
    ["/write-offs", invoice("9", 2)],
  ] as const) {
    expect(await ask("post", path, { body: { invoice: one } })).toMatchObject({
      status: 400,
      body: { error: { code: "invalid-request" } },
    });
  }
});

it("needs the key for whatever changes something", async () => {
  for (const { method, path, writes } of ROUTES) {
    const express = path.replaceAll(/\{(\w+)\}/g, ":$1");
    expect(writes).toBe(method !== "get");
    if (!writes) continue;
    for (const headers of [{}, { "x-api-key": "wrong" }]) {
      expect(await ask(method, express, { headers, body: {} })).toMatchObject({
        status: 401,
        body: { error: { code: "unauthorized" } },
      });
    }
  }
});

it("says what is wrong with a request, and names the service that is away", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  const odd = { invoice: { ...invoice("1", 2), lines: [] } };
  expect(await ask("post", "/orders", { body: odd })).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining("invoice.lines") as string } },
  });
  expect(await ask("get", "/orders/:id", { params: { id: "a b" } })).toMatchObject({ status: 400 });
  const asked = { params: { id: "1" } };
  expect(await ask("post", "/orders/:id/payment", asked)).toEqual({
    status: 503,
    body: {
      error: { code: "unavailable", message: "OrderActor 1 did not answer: away; try again, nothing is done twice" },
    },
  });
  const faulty: Partial<Peers> = { pay: async () => await Promise.reject(new TypeError("a fault")) };
  expect(await ask("post", "/orders/:id/payment", asked, faulty)).toEqual({
    status: 500,
    body: { error: { code: "internal", message: "a fault of the façade: see its log" } },
  });
});
