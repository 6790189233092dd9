import { expect, test } from "vitest";
import { FILTER_DEPTH_MAX, parseStateQuery, QuerySyntaxError } from "./query.ts";

const parse = (text: string) => parseStateQuery(Buffer.from(text));

test("reads filter, sort and page", () => {
  const query = parse(`{
    "filter": {"OR": [{"EQ": {"person.org": "Dev"}}, {"AND": [{"GTE": {"n": 1}}, {"IN": {"state": ["CA", "WA"]}}]}]},
    "sort": [{"key": "state", "order": "DESC"}, {"key": "n"}],
    "page": {"limit": 3, "token": "6"}
  }`);
  expect(query).toMatchObject({
    filter: {
      operator: "OR",
      filters: [
        { operator: "EQ", key: "person.org", value: "Dev" },
        {
          operator: "AND",
          filters: [
            { operator: "GTE", key: "n", value: 1 },
            { operator: "IN", key: "state", values: ["CA", "WA"] },
          ],
        },
      ],
    },
    sort: [
      { key: "state", order: "DESC" },
      { key: "n", order: "ASC" },
    ],
    pageLimit: 3,
    pageToken: "6",
  });
  expect(Object.keys(query.writtenFilter)).toEqual(["OR"]);
});

test.each(["{}", "null", '{"filter":{},"sort":null,"page":null}', '{"other":1}'])("%s asks for everything", (text) => {
  expect(parse(text)).toEqual({ filter: undefined, writtenFilter: {}, sort: [], pageLimit: 0, pageToken: "" });
});

test("names match without case, as Go's decoder has it", () => {
  expect(parse('{"Page":{"Limit":2},"SORT":[{"Key":"a"}]}')).toMatchObject({ pageLimit: 2, sort: [{ key: "a" }] });
});

test.each([
  ["", "unexpected end of JSON input"],
  ["[]", "json: cannot unmarshal array into Go value of type query.QueryFields"],
  [
    '{"filter":[]}',
    "json: cannot unmarshal array into Go struct field QueryFields.filter of type map[string]interface {}",
  ],
  ['{"page":{"limit":"1"}}', "json: cannot unmarshal string into Go struct field QueryFields.page.limit of type int"],
  [
    '{"page":{"limit":1.5}}',
    "json: cannot unmarshal number 1.5 into Go struct field QueryFields.page.limit of type int",
  ],
  ['{"sort":{}}', "json: cannot unmarshal object into Go struct field QueryFields.sort of type []query.Sorting"],
  ['{"filter":{"EQ":{"a":1},"NEQ":{"b":1}}}', "filter unit must have a single element"],
  ['{"filter":{"AND":[1,2]}}', "filter unit must be a map"],
  ['{"filter":{"AND":[{"EQ":{"a":1}}]}}', "AND filter must contain at least two entries"],
  ['{"filter":{"OR":{}}}', "OR filter must be an array"],
  ['{"filter":{"EQ":[]}}', "EQ filter must be a map"],
  ['{"filter":{"LT":{"a":1,"b":2}}}', "LT filter must contain a single key/value pair"],
  ['{"filter":{"IN":{"a":1}}}', "IN filter value must be an array"],
  ['{"filter":{"eq":{"a":1}}}', 'unsupported filter "eq"'],
])("%s is refused in the words of Dapr's decoder", (text, reason) => {
  expect(() => parse(text)).toThrow(new QuerySyntaxError(reason));
});

test("filters nested beyond the limit are refused by it", () => {
  const deep = (depth: number): string =>
    depth === 1 ? '{"EQ":{"a":1}}' : `{"AND":[{"EQ":{"a":1}},${deep(depth - 1)}]}`;
  expect(parse(`{"filter":${deep(FILTER_DEPTH_MAX)}}`).filter).toBeDefined();
  expect(() => parse(`{"filter":${deep(FILTER_DEPTH_MAX + 1)}}`)).toThrow(`deeper than ${FILTER_DEPTH_MAX} levels`);
});
