import fc from "fast-check";
import { expect, it } from "vitest";
import { editDistance, suggest } from "./distance.ts";

const WORD = fc.stringMatching(/^[a-c]{0,6}$/);

it("is symmetric, zero only between equals, and at most the longer length", () => {
  fc.assert(
    fc.property(WORD, WORD, (a, b) => {
      const edits = editDistance(a, b);
      expect(edits).toBe(editDistance(b, a));
      expect(edits === 0).toBe(a === b);
      expect(edits).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});

it("finds a long word again after one typing mistake", () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z]{6,12}$/),
      fc.nat(5),
      fc.constantFrom("drop", "swap", "replace"),
      (word, at, mistake) => {
        const typed = {
          drop: word.slice(0, at) + word.slice(at + 1),
          swap: word.slice(0, at) + (word[at + 1] ?? "") + (word[at] ?? "") + word.slice(at + 2),
          replace: `${word.slice(0, at)}-${word.slice(at + 1)}`,
        }[mistake];
        expect(suggest(typed, ["0000000000000000000", word])).toBe(word);
      },
    ),
  );
});
