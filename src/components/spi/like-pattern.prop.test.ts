import fc from "fast-check";
import { expect, test } from "vitest";
import { LikePattern } from "./like-pattern.ts";

const character = fc.constantFrom("a", "b", ".", "%", "_", "\\", "\n");
const text = fc.string({ unit: character, maxLength: 12 });

/** The same by a regular expression, which is slower and can be made to hang. */
function byRegExp(pattern: string): RegExp {
  const source = pattern.replace(/\\(.)|\\$|[^\\]/gs, (token, escaped: string | undefined) => {
    if (escaped === undefined && token === "%") {
      return ".*";
    }
    if (escaped === undefined && token === "_") {
      return ".";
    }
    return (escaped ?? token).replace(/[.\\]/g, "\\$&");
  });
  return new RegExp(`^${source}$`, "s");
}

test("matches what the regular expression matches", () => {
  fc.assert(
    fc.property(text, text, (pattern, subject) => {
      expect(new LikePattern(pattern).matches(subject)).toBe(byRegExp(pattern).test(subject));
    }),
    { numRuns: 5_000 },
  );
});

test("a pattern made to be slow is not", () => {
  expect(new LikePattern("%a".repeat(200) + "b").matches("a".repeat(5_000))).toBe(false);
});
