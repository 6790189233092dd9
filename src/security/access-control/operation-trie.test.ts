import { expect, test } from "vitest";
import { OperationTrie } from "./operation-trie.ts";

/** A trie whose values are the names. */
function trieOf(...names: readonly string[]): OperationTrie<string> {
  const trie = new OperationTrie<string>();
  for (const name of names) {
    trie.put(name, name);
  }
  return trie;
}

test.each<[readonly string[], string, string | undefined]>([
  [["/a"], "/a", "/a"],
  [["/a"], "/b", undefined],
  [["/a"], "/a/b/c", "/a"],
  [["/a"], "/ab", undefined],
  [["/a/*"], "/a/b", "/a/*"],
  [["/a/*"], "/a", "/a/*"],
  [["/a/*"], "/a/b/c", undefined],
  [["/a/**"], "/a/b/c", "/a/**"],
  [["/a/**"], "/a", "/a/**"],
  [["/*"], "/", "/*"],
  [["/*"], "/a", "/*"],
  [["/**"], "/a/b", "/**"],
  [["/"], "/", "/"],
  [["/"], "/a", undefined],
  [["/a/"], "/a", undefined],
  // A star within a segment is any text, and such an operation is all below it, too.
  [["/or*s"], "/orders", "/or*s"],
  [["/or*s"], "/ors/1", "/or*s"],
  [["/or*s"], "/order", undefined],
  [["/a*a"], "/a", undefined],
  [["/*b*d*"], "/abcd", "/*b*d*"],
  [["/*b*d*"], "/adcb", undefined],
  [["/a*bc*c"], "/abc", undefined],
  // Before the end.
  [["/a/*/c"], "/a/b/c", undefined],
  [["/a/*/c"], "/a/*/c", "/a/*/c"],
  [["/a/**/c"], "/a/b/c", "/a/**/c"],
  [["/a/**/c"], "/a/b/b/c", undefined],
  [["/a/b*/c"], "/a/bb/c", "/a/b*/c"],
  // The first sibling that matches counts, without a way back.
  [["/*", "/a"], "/a", "/*"],
  [["/*", "/a"], "/a/b", "/a"],
  [["/a", "/*"], "/a", "/a"],
  [["/a*", "/ab/c"], "/ab/c", "/a*"],
  [["/a*/x", "/ab/c"], "/ab/c", undefined],
  [["/ab/c", "/a*/x"], "/ab/c", "/ab/c"],
  [["/a", "/a/b"], "/a/b", "/a"],
  [["/a/b", "/a"], "/a/b", "/a"],
  [["/a/***", "/a/*"], "/a", "/a/***"],
  [["/a/x*/y", "/a/*"], "/a", "/a/*"],
])("of %j, %s is %s", (names, path, found) => {
  expect(trieOf(...names).find(path)).toBe(found);
});

test("the first of two operations of one name stays", () => {
  const trie = new OperationTrie<number>();
  expect(trie.put("/a/b", 1)).toBeUndefined();
  expect(trie.put("/a/b", 2)).toBe(1);
  expect(trie.put("/a", 3)).toBeUndefined();
  expect(trie.find("/a/b")).toBe(3);
});
