import { describe, expect, test } from "vitest";
import { decodeBulkGetBody, decodeSaveBody, decodeTransactionBody } from "./json-state.ts";

const saves = (body: string | Uint8Array, query: Record<string, string> = {}) =>
  decodeSaveBody(Buffer.from(body), query);
const valueOf = (body: string) => saves(body).map(({ value }) => Buffer.from(value).toString());

describe("decodeSaveBody", () => {
  test("reads every field, by names in any case", () => {
    const body = `[{"KEY":"k","Value":1,"eTag":"7","metadata":{"a":"b","n":null},"options":{"Concurrency":"first-write","consistency":"strong"},"other":[{}]}]`;
    expect(saves(body)).toEqual([
      {
        key: "k",
        value: Buffer.from("1"),
        valueIsJson: true,
        etag: "7",
        metadata: { a: "b", n: "" },
        concurrency: "first-write",
        consistency: "strong",
      },
    ]);
  });

  test("values are kept as written: digits, escapes, order and space", () => {
    const values = [`"a\\u003cb"`, "12345678901234567890.10", `{ "b":1, "a" : [ ] }`, "null", "true", `""`];
    expect(valueOf(`[${values.map((value) => `{"key":"k","value": ${value} }`).join(",")}]`)).toEqual(values);
  });

  test("a missing value is null, a null field is an absent one, the last of two wins", () => {
    expect(valueOf(`[{"key":"k"}]`)).toEqual(["null"]);
    expect(saves(`[{"key":"k","etag":null,"metadata":null,"options":null}]`)).toEqual([
      expect.objectContaining({ etag: undefined, metadata: {}, concurrency: "" }),
    ]);
    expect(valueOf(`[{"key":"k","value":1,"value":2}]`)).toEqual(["2"]);
    expect(saves("null")).toEqual([]);
    expect(saves("[null]")).toEqual([expect.objectContaining({ key: "" })]);
  });

  test("metadata of the query win over an item's own", () => {
    const [own, none] = saves(`[{"key":"k","metadata":{"a":"1","b":"1"}},{"key":"l"}]`, { b: "2" });
    expect([own?.metadata, none?.metadata]).toEqual([{ a: "1", b: "2" }, { b: "2" }]);
  });

  test("a metadata key may be called anything", () => {
    expect(Object.entries(saves(`[{"key":"k","metadata":{"__proto__":"x"}}]`)[0]?.metadata ?? {})).toEqual([
      ["__proto__", "x"],
    ]);
  });

  test("text behind the array is not looked at", () => {
    expect(saves(`[{"key":"k"}] x`)).toHaveLength(1);
  });

  test("bytes that are no UTF-8 become U+FFFD", () => {
    const body = Buffer.concat([
      Buffer.from(`[{"key":"k`),
      Buffer.from([0xff]),
      Buffer.from(`","value":"`),
      Buffer.from([0xc3]),
      Buffer.from(`"}]`),
    ]);
    const [item] = saves(body);
    expect([item?.key, Buffer.from(item?.value ?? []).toString()]).toEqual(["k\uFFFD", `"\uFFFD"`]);
  });

  test.each([
    ["", "EOF"],
    ["{}", "json: cannot unmarshal object into Go value of type []state.SetRequest"],
    [`"x"`, "json: cannot unmarshal string into Go value of type []state.SetRequest"],
    ["[1]", "json: cannot unmarshal number into Go value of type state.SetRequest"],
    [`[{"key":"a"},]`, "invalid character ']' looking for beginning of value"],
    [`[{"key":"a","etag":123}]`, "json: cannot unmarshal number into Go struct field SetRequest.etag of type string"],
    [`[{"key":{}}]`, "json: cannot unmarshal object into Go struct field SetRequest.key of type string"],
    [
      `[{"metadata":1}]`,
      "json: cannot unmarshal number into Go struct field SetRequest.metadata of type map[string]string",
    ],
    [`[{"metadata":{"a":1}}]`, "json: cannot unmarshal number into Go struct field SetRequest.metadata of type string"],
    [
      `[{"options":[]}]`,
      "json: cannot unmarshal array into Go struct field SetRequest.options of type state.SetStateOption",
    ],
    [
      `[{"options":{"concurrency":1}}]`,
      "json: cannot unmarshal number into Go struct field SetStateOption.options.Concurrency of type string",
    ],
    [`[{"key":1},{"etag":1}]`, "json: cannot unmarshal number into Go struct field SetRequest.key of type string"],
    [`[{"key":1},]`, "invalid character ']' looking for beginning of value"],
  ])("%j is refused in Go's words", (body, message) => {
    expect(() => saves(body)).toThrow(expect.objectContaining({ name: "JsonBodyError", message }));
  });
});

describe("decodeBulkGetBody", () => {
  const decode = (body: string) => decodeBulkGetBody(Buffer.from(body));

  test("reads keys, parallelism and metadata", () => {
    expect(decode(`{"keys":["a",null,"b"],"parallelism":10,"metadata":{"p":"q"},"x":1}`)).toEqual({
      keys: ["a", "", "b"],
      parallelism: 10,
      metadata: { p: "q" },
    });
    expect(decode("null")).toEqual({ keys: [], parallelism: 0, metadata: undefined });
    expect(decode(`{"keys":null,"parallelism":null}`)).toEqual({ keys: [], parallelism: 0, metadata: undefined });
  });

  test.each([
    ["[]", "json: cannot unmarshal array into Go value of type http.BulkGetRequest"],
    [`{"keys":1}`, "json: cannot unmarshal number into Go struct field BulkGetRequest.keys of type []string"],
    [`{"keys":[1]}`, "json: cannot unmarshal number into Go struct field BulkGetRequest.keys of type string"],
    [
      `{"parallelism":"x"}`,
      "json: cannot unmarshal string into Go struct field BulkGetRequest.parallelism of type int",
    ],
    [
      `{"parallelism":1.5}`,
      "json: cannot unmarshal number 1.5 into Go struct field BulkGetRequest.parallelism of type int",
    ],
    [
      `{"parallelism":99999999999999999999}`,
      "json: cannot unmarshal number 99999999999999999999 into Go struct field BulkGetRequest.parallelism of type int",
    ],
  ])("%j is refused in Go's words", (body, message) => {
    expect(() => decode(body)).toThrow(expect.objectContaining({ message }));
  });
});

describe("decodeTransactionBody", () => {
  const decode = (body: string, query: Record<string, string> = {}) => decodeTransactionBody(Buffer.from(body), query);

  test("reads operations and metadata; an operation gets the query's metadata, not the body's", () => {
    const body = `{"operations":[{"operation":"upsert","request":{"key":"a","value":{"x": 1},"metadata":{"m":"1"}}},{"operation":"delete","request":{"key":"b","etag":"7"}}],"metadata":{"p":"1"}}`;
    const { operations, metadata } = decode(body, { q: "2" });
    expect(metadata).toEqual({ p: "1", q: "2" });
    expect(operations).toMatchObject([
      { kind: "upsert", item: { key: "a", metadata: { m: "1", q: "2" } } },
      { kind: "delete", item: { key: "b", etag: "7", metadata: { q: "2" } } },
    ]);
    expect(Buffer.from(operations[0]?.item.value ?? []).toString()).toBe(`{"x": 1}`);
  });

  test("an operation without a request has an empty one", () => {
    expect(decode(`{"operations":[{"operation":"upsert"},null]}`).operations).toMatchObject([
      { kind: "upsert", item: { key: "" } },
      { kind: "", item: { key: "" } },
    ]);
  });

  test.each([
    ["[]", "json: cannot unmarshal array into Go value of type http.stateTransactionRequestBody"],
    [
      `{"operations":[1]}`,
      "json: cannot unmarshal number into Go struct field stateTransactionRequestBody.operations of type http.stateTransactionRequestBodyOperation",
    ],
    [
      `{"operations":[{"operation":1}]}`,
      "json: cannot unmarshal number into Go struct field stateTransactionRequestBodyOperation.operations.operation of type string",
    ],
    [`{"operations":[{"request":1}]}`, "'' expected a map, got 'float64'"],
    [`{"operations":[{"request":[]}]}`, "'' expected a map, got 'slice'"],
    [
      `{"operations":[{"request":{"key":1}}]}`,
      "1 error(s) decoding:\n\n* 'Key' expected type 'string', got unconvertible type 'float64', value: '1'",
    ],
    [
      `{"operations":[{"request":{"metadata":{"a":true}}}]}`,
      "1 error(s) decoding:\n\n* 'Metadata[a]' expected type 'string', got unconvertible type 'bool', value: 'true'",
    ],
    [`{"operations":[{"request":{"options":1}}]}`, "1 error(s) decoding:\n\n* 'Options' expected a map, got 'float64'"],
  ])("%j is refused in Dapr's words", (body, message) => {
    expect(() => decode(body)).toThrow(expect.objectContaining({ message }));
  });
});
