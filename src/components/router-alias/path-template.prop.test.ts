import fc from "fast-check";
import { expect, it } from "vitest";
import { compilePathTemplate } from "./path-template.ts";

const literal = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => !/[{}/]/.test(text));
const value = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }).filter((text) => !text.includes("/"));

it("gives back the values that a path was made of, whatever characters they have", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(literal, value), { minLength: 1, maxLength: 5 }), (parts) => {
      const template = parts.map(([text], index) => `/${text}/{v${index}}`).join("");
      const path = parts.map(([text, one]) => `/${text}/${one}`).join("");
      expect(compilePathTemplate(template).match(path)).toEqual(parts.map(([, one], index) => [`v${index}`, one]));
      expect(compilePathTemplate(template).match(`${path}/more`)).toBeUndefined();
    }),
  );
});

it("any text is a template or an error, never something else", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("{", "}", ":", "/", "a", "(", ")", "*", "\\") }), (text) => {
      try {
        compilePathTemplate(text);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
  );
});
