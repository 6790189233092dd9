import fc from "fast-check";
import { expect, it } from "vitest";
import { baggageFault } from "./baggage.ts";

const key = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
const value = fc.string({ unit: "grapheme", maxLength: 12 }).map((text) => encodeURIComponent(text.toWellFormed()));
const member = fc
  .tuple(
    key,
    value,
    fc.array(
      fc.tuple(key, value).map(([name, one]) => `${name}=${one}`),
      { maxLength: 2 },
    ),
  )
  .map(([name, one, properties]) => [`${name}=${one}`, ...properties].join(";"));

it("takes whatever a library writes", () => {
  fc.assert(
    fc.property(fc.array(member, { maxLength: 20 }), (members) => {
      expect(baggageFault(members.join(","))).toBeUndefined();
    }),
  );
});

it("what it takes can travel in a header", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.string({ unit: fc.constantFrom("a", "=", ",", ";", "%", " ", "\t", '"', "1", "\n") }),
      ),
      (text) => {
        if (baggageFault(text) === undefined) {
          expect(text).toMatch(/^[\s\x20-\x7e]*$/);
        }
      },
    ),
  );
});
