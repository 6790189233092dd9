import fc from "fast-check";
import { expect, it } from "vitest";
import { InvalidQuantityError, parseQuantity } from "./quantity.ts";

it("multiplies by its suffix", () => {
  const factors = { "": 1, k: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };
  fc.assert(
    fc.property(
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
      fc.constantFrom(...Object.entries(factors)),
      (count, [suffix, factor]) => {
        expect(parseQuantity(`${count}${suffix}`)).toBe(count * factor + 0);
      },
    ),
  );
});

it("gives a whole number or its own error for any text", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[-+0-9.eEinumkKMGTP]{0,12}$/), (text) => {
      try {
        expect(Number.isInteger(parseQuantity(text))).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidQuantityError);
      }
    }),
  );
});
