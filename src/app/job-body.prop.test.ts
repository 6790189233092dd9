import fc from "fast-check";
import { expect, it } from "vitest";
import { jobBody } from "./job-body.ts";

const SPACES = ["\t", "\n", "\u000b", "\f", "\r", " ", "\u00a0", "\u1680", "\u2003", "\u2028", "\u202f", "\u3000"];

// What JavaScript trims is what Go trims, but for U+0085 and U+FEFF.
const text = fc
  .array(fc.oneof(fc.constantFrom(...SPACES), fc.string({ unit: "binary" })))
  .map((parts) => parts.join("").replaceAll(/[\u0085\ufeff]/g, ""));

it("trims text as text is trimmed", () => {
  fc.assert(
    fc.property(text, (value) => {
      const sent = jobBody({ typeUrl: "my.Type", value: Buffer.from(value) });
      expect(Buffer.from(sent).toString()).toBe(value.trim());
    }),
  );
});

it("takes nothing but a beginning and an end from any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (value) => {
      const sent = Buffer.from(jobBody({ typeUrl: "my.Type", value }));
      expect(Buffer.from(value).includes(sent)).toBe(true);
      expect(Buffer.from(jobBody({ typeUrl: "my.Type", value: sent })).equals(sent)).toBe(true);
    }),
  );
});
