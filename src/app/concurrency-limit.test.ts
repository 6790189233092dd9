import { expect, test } from "vitest";
import { ConcurrencyLimit } from "./concurrency-limit.ts";

test("slots are given in order of arrival", async () => {
  const limit = new ConcurrencyLimit(1);
  expect(limit.acquire(undefined)).toBeUndefined();
  const order: string[] = [];
  const waiting = ["a", "b"].map(async (name) => {
    await limit.acquire(undefined);
    order.push(name);
  });
  limit.release();
  await waiting[0];
  expect(order).toEqual(["a"]);
  limit.release();
  await waiting[1];
  expect(order).toEqual(["a", "b"]);
  limit.release();
  expect(limit.acquire(undefined)).toBeUndefined();
});

test("a caller that gives up leaves the queue", async () => {
  const limit = new ConcurrencyLimit(1);
  void limit.acquire(undefined);
  const abort = new AbortController();
  const given = limit.acquire(abort.signal);
  abort.abort(new Error("gone"));
  await expect(given).rejects.toThrow("gone");
  limit.release();
  expect(limit.acquire(undefined)).toBeUndefined();
});

test("beyond the queue's bound calls are refused, with the limit named", () => {
  const limit = new ConcurrencyLimit(1, 1);
  void limit.acquire(undefined);
  void limit.acquire(undefined);
  expect(() => limit.acquire(undefined)).toThrow(
    "1 calls wait for the app already; raise --app-max-concurrency (1) to let more through",
  );
});
