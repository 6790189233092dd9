import fc from "fast-check";
import { expect, it } from "vitest";
import { CsvError, parseCsv } from "./csv.ts";

const anyField = fc.string({ unit: fc.constantFrom("a", "é", ",", '"', "\r", "\n", " ", "\uFEFF", "1") });

function quoted(field: string): string {
  return `"${field.replaceAll('"', '""')}"`;
}

it("reads back any table written in quotes", () => {
  const table = fc.array(fc.array(anyField, { minLength: 1 }));
  fc.assert(
    fc.property(table, fc.constantFrom("\n", "\r\n"), fc.boolean(), (rows, lineBreak, finished) => {
      const text = rows.map((row) => row.map(quoted).join(",")).join(lineBreak) + (finished ? lineBreak : "");
      fc.pre(rows.length > 0 || !finished);
      expect([...parseCsv(text)].map((record) => record.fields)).toEqual(rows);
    }),
  );
});

it("never fails in another way than its own error", () => {
  fc.assert(
    fc.property(anyField, (text) => {
      try {
        for (const { fields } of parseCsv(text)) expect(fields.length).toBeGreaterThan(0);
      } catch (error) {
        expect(error).toBeInstanceOf(CsvError);
      }
    }),
  );
});
