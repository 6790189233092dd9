import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonFault, JsonScanner } from "./json-scanner.ts";

/** JSON text with a few characters replaced, removed or put in: mostly broken, sometimes not. */
const nearlyJson = fc
  .tuple(
    fc.json({ maxDepth: 4 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom(...Array.from('{}[]",:\\ \t\n\u000101-.eEutfnx/é'))), {
      maxLength: 3,
    }),
  )
  .map(([json, edits]) => {
    let text = json;
    for (const [seed, kind, character] of edits) {
      const at = seed % (text.length + 1);
      text = text.slice(0, at) + (kind === 0 ? "" : character) + text.slice(kind === 2 ? at : at + 1);
    }
    return text;
  });

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test("accepts exactly what JSON.parse accepts", () => {
  const property = fc.property(nearlyJson, (text) => {
    expect(jsonFault(Buffer.from(text)) === undefined).toBe(isJson(text));
  });
  fc.assert(property, { numRuns: 2_000 });
});

test("walking and cutting out give back what JSON.parse sees", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue()), (value) => {
      const scanner = new JsonScanner(Buffer.from(JSON.stringify(value, undefined, 1)));
      const members: [string, unknown][] = [];
      scanner.kind();
      for (let more = scanner.openObject(); more; more = scanner.nextMember()) {
        members.push([scanner.memberName(), JSON.parse(Buffer.from(scanner.sliceValue()).toString())]);
      }
      expect(Object.fromEntries(members)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
