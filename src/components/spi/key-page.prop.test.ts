import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyPage } from "./key-page.ts";

const text = fc.string({ unit: fc.constantFrom("a", "b", "|", "é", "\u{1F600}", "\uE000"), maxLength: 5 });

test("a page is what sorting all keys would give, in whatever order and however often they are offered", () => {
  fc.assert(
    fc.property(
      fc.array(text, { maxLength: 60 }),
      fc.constantFrom("", "a||"),
      fc.constantFrom("", "a", "b"),
      fc.option(text, { nil: undefined }),
      fc.integer({ min: 1, max: 6 }),
      (names, scope, prefix, last, limit) => {
        const keys = names.map((name) => scope + name);
        const after = last === undefined ? undefined : scope + prefix + last;
        const page = new KeyPage({ scope, prefix, after, limit });
        for (const key of [...keys, ...names]) {
          page.offer(key);
        }
        const bytes = (key: string): Buffer => Buffer.from(key);
        const expected = [...new Set([...keys, ...names])]
          .filter((key) => key.startsWith(scope + prefix) && !key.slice(scope.length).includes("||"))
          .filter((key) => after === undefined || Buffer.compare(bytes(key), bytes(after)) > 0)
          .sort((a, b) => Buffer.compare(bytes(a), bytes(b)));
        expect(page.result()).toEqual({ keys: expected.slice(0, limit), more: expected.length > limit });
      },
    ),
  );
});
