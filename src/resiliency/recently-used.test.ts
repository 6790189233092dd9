import { expect, it } from "vitest";
import { RecentlyUsed } from "./recently-used.ts";

it("keeps what was used last", () => {
  const cache = new RecentlyUsed<number>(2);
  cache.set("a", 1);
  cache.set("b", 2);
  expect(cache.get("a")).toBe(1);
  cache.set("c", 3);
  expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual([1, undefined, 3]);
});

it("replaces what has the same key", () => {
  const cache = new RecentlyUsed<number>(1);
  cache.set("a", 1);
  cache.set("a", 2);
  expect(cache.get("a")).toBe(2);
});
