import fc from "fast-check";
import { expect, test } from "vitest";
import { OperationTrie } from "./operation-trie.ts";

/** What a name in the list below is, as Dapr keeps it: segments with their slash, children in a list. */
interface Plain {
  readonly text: string;
  readonly children: Plain[];
  value: number | undefined;
}

/** The search written down as plainly as it can be said: a list of children that is gone through, and a regular expression for each star. */
class Oracle {
  readonly #root: Plain = { text: "", children: [], value: undefined };

  put(name: string, value: number): void {
    let node = this.#root;
    for (const part of name.split("/").slice(1)) {
      let child = node.children.find(({ text }) => text === `/${part}`);
      if (child === undefined) {
        child = { text: `/${part}`, children: [], value: undefined };
        node.children.push(child);
      }
      node = child;
    }
    node.value ??= value;
  }

  find(path: string): number | undefined {
    let node = this.#root;
    const parts = path.split("/").slice(1);
    for (const [index, part] of parts.entries()) {
      const isEnd = index === parts.length - 1;
      const child = choose(node.children, `/${part}`, isEnd);
      if (child === undefined) {
        return undefined;
      }
      if (child.value !== undefined) {
        if (isEnd || child.text !== "/*") {
          return child.value;
        }
      } else if (isEnd) {
        return choose(child.children, "/*", true)?.value;
      }
      node = child;
    }
    return undefined;
  }
}

function choose(children: readonly Plain[], part: string, isEnd: boolean): Plain | undefined {
  for (const child of children) {
    if (child.text === part) return child;
    if (child.text === "/*") {
      if (isEnd) return child;
      continue;
    }
    if (child.text === "/**") return child;
    const pieces = child.text.split("*").map((piece) => piece.replace(/[.\\^$()[\]{}|+?]/g, "\\$&"));
    if (new RegExp(`^${pieces.join("[^]*")}$`).test(part)) return child;
  }
  return undefined;
}

const segment = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "b", "ab", "*", "**", "") },
  { weight: 3, arbitrary: fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 4 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 4 }).map((text) => text.replaceAll("/", "_")) },
);
const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `/${segments.join("/")}`);

test("the trie finds what going through lists with regular expressions finds", () => {
  fc.assert(
    fc.property(fc.array(name, { maxLength: 8 }), fc.array(name, { minLength: 1, maxLength: 8 }), (names, paths) => {
      const trie = new OperationTrie<number>();
      const oracle = new Oracle();
      for (const [index, each] of names.entries()) {
        trie.put(each, index);
        oracle.put(each, index);
      }
      for (const path of [...paths, ...names]) {
        expect([path, trie.find(path)]).toEqual([path, oracle.find(path)]);
      }
    }),
    { numRuns: 1000 },
  );
});
