import { expect, it } from "vitest";
import { compareCodePoints } from "../../kit/code-point-order.ts";
import { keysLikeOf, listKeysOf, type RangeOfKeys } from "./key-ranges.ts";

/** Keys in memory, at most three to a call, whatever is asked for. */
function keysOf(...keys: string[]): { readonly range: RangeOfKeys; readonly calls: () => number } {
  const sorted = keys.toSorted(compareCodePoints);
  let calls = 0;
  const range: RangeOfKeys = async (from, to) => {
    calls += 1;
    const found = sorted.filter(
      (key) => Buffer.compare(Buffer.from(key), from) >= 0 && Buffer.compare(Buffer.from(key), to) < 0,
    );
    return { keys: found.slice(0, 3), more: found.length > 3 };
  };
  return { range, calls: () => calls };
}

it("lists the keys of one app under a prefix, over as many calls as it takes", async () => {
  const { range } = keysOf("app||a", "app||b", "app||b||deep", "app||c", "app||d", "app2||a", "zoo");
  const request = { scope: "app||", prefix: "", after: undefined, limit: 10 };
  expect(await listKeysOf(request, range)).toEqual({ keys: ["app||a", "app||b", "app||c", "app||d"], more: false });
  expect(await listKeysOf({ ...request, limit: 2 }, range)).toEqual({ keys: ["app||a", "app||b"], more: true });
  expect(await listKeysOf({ ...request, limit: 2, after: "app||b" }, range)).toEqual({
    keys: ["app||c", "app||d"],
    more: false,
  });
});

it("does not ask behind the end, and not for what stands before the prefix", async () => {
  const { range, calls } = keysOf("app||a", "app||b");
  const request = { scope: "app||", prefix: "b", limit: 10 };
  expect((await listKeysOf({ ...request, after: "app||a" }, range)).keys).toEqual(["app||b"]);
  expect(calls()).toBe(1);
  expect((await listKeysOf({ ...request, after: "zoo" }, range)).keys).toEqual([]);
  expect(calls()).toBe(1);
});

it("finds keys like a pattern, page by page", async () => {
  const { range } = keysOf("a1", "a2", "a3", "a4", "ab4", "b");
  const first = await keysLikeOf({ pattern: "a_", pageSize: 3, continuationToken: undefined }, range);
  expect(first).toEqual({ keys: ["a1", "a2", "a3"], continuationToken: "a3" });
  const second = await keysLikeOf({ pattern: "a_", pageSize: 3, continuationToken: "a3" }, range);
  expect(second).toEqual({ keys: ["a4"], continuationToken: undefined });
  const all = { pattern: "%4", pageSize: undefined, continuationToken: undefined };
  expect((await keysLikeOf(all, range)).keys).toEqual(["a4", "ab4"]);
  await expect(keysLikeOf({ ...all, pattern: "" }, range)).rejects.toThrow("keys like pattern cannot be empty");
});
