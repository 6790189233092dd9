import fc from "fast-check";
import { expect, test } from "vitest";
import { compileCel } from "./cel.ts";

const TOKENS = [
  "event", ".", "type", "data", "[", "]", '"a"', "'b'", "(", ")", "==", "!=", "<", ">=", "&&", "||", "!", "1", "2.5", "-",
  "+", "*", "/", "%", "has", "size", "startsWith", "matches", "true", "false", "null", "in", "?", ":", ",", "{", "}",
  "exists", "x", "consecutiveFailures", "1u", "b'x'", '"(a+)+$"', "timestamp", "//",
] as const; // prettier-ignore

const expression = fc.oneof(
  fc.array(fc.constantFrom(...TOKENS), { maxLength: 14 }).map((tokens) => tokens.join(" ")),
  fc.string({ maxLength: 30 }),
);

test("whatever stands in a rule, it is refused or evaluated, and fails with nothing but an Error", async () => {
  await fc.assert(
    fc.asyncProperty(expression, fc.jsonValue(), async (text, data) => {
      try {
        const [program] = await compileCel([text]);
        program?.({ event: { type: "a", data }, consecutiveFailures: 3n });
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
    { numRuns: 3_000 },
  );
});
