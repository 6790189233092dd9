import { expect, test } from "vitest";
import { parseQueryIndexes } from "./query-index.ts";

test("an index is made over the values of documents, under Dapr's aliases", () => {
  const indexes = parseQueryIndexes(
    '[{"name":"people","indexes":[{"key":"person.org","type":"TEXT"},{"key":"person.id","type":"NUMERIC"}]}]',
  );
  expect(indexes.get("people")?.create.join(" ")).toBe(
    "FT.CREATE people ON JSON SCHEMA $.data.person.org AS var0 TEXT SORTABLE $.data.person.id AS var1 NUMERIC SORTABLE",
  );
  expect(indexes.get("people")?.aliases.get("person.id")).toBe("var1");
});

test.each(["", "[]", "null"])("%j has no index", (text) => {
  expect(parseQueryIndexes(text).size).toBe(0);
});

test.each([
  ['[{"indexes":[]}]', "empty query schema name"],
  ['[{"name":"a"},{"name":"a"}]', "duplicate schema name a"],
  ['[{"name":"a","indexes":[{"type":"TEXT"}]}]', "empty key in query schema a"],
  ['[{"name":"a","indexes":[{"key":"k"}]}]', "empty type in query schema a"],
  ['{"name":"a"}', "the indexes must be a list"],
  ["[1]", "every entry must be an object"],
  ['[{"name":1}]', "name must be a string"],
  ["{", "JSON"],
])("%s is refused", (text, reason) => {
  expect(() => parseQueryIndexes(text)).toThrow(/^redis store: error parsing query index schema: /);
  expect(() => parseQueryIndexes(text)).toThrow(reason);
});
