import fc from "fast-check";
import { expect, test } from "vitest";
import { parseStateQuery, QuerySyntaxError } from "./query.ts";

const json = fc.oneof(
  fc.json(),
  fc.json().map((value) => `{"filter":${value}}`),
  fc.json().map((value) => `{"filter":{"AND":[${value},${value}]},"sort":[${value}],"page":${value}}`),
  fc.json().map((value) => `{"filter":{"IN":{"a":${value}}},"page":{"limit":${value},"token":${value}}}`),
  fc.string({ unit: "binary" }),
);

test("any text is a query or is refused as one", () => {
  fc.assert(
    fc.property(json, (text) => {
      try {
        const query = parseStateQuery(Buffer.from(text));
        expect(query.filter === undefined).toBe(Object.keys(query.writtenFilter).length === 0);
      } catch (error) {
        expect(error).toBeInstanceOf(QuerySyntaxError);
      }
    }),
  );
});
