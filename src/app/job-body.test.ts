import { create, toBinary } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { jobBody } from "./job-body.ts";

const text = (data: Parameters<typeof jobBody>[0]): string => Buffer.from(jobBody(data)).toString();
const valued = (kind: Value["kind"]) => ({
  typeUrl: "type.googleapis.com/google.protobuf.Value",
  value: toBinary(ValueSchema, create(ValueSchema, { kind })),
});

it.each([
  [{ case: "stringValue", value: '"xyz"' }, '"\\"xyz\\""'],
  [{ case: "numberValue", value: 123 }, "123"],
  [{ case: "boolValue", value: true }, "true"],
  [{ case: "nullValue", value: 0 }, "null"],
  [{ case: "structValue", value: { $typeName: "google.protobuf.Struct", fields: {} } }, "{}"],
  [{ case: undefined }, ""],
] as const)("a JSON value is sent as JSON: %j", (kind, json) => {
  expect(text(valued(kind))).toBe(json);
});

it.each([
  ["\n\u000bhello world", "hello world"],
  ["\b{", "\b{"],
  [' {"expression": "val"}\r\n', '{"expression": "val"}'],
  ["\u00a0\u3000é \u2028", "é"],
  ["à", "à"],
  [" \t\u0085", ""],
  ["", ""],
])("bytes of any other type are sent as they are, without the space around them: %j", (bytes, sent) => {
  expect(text({ typeUrl: "type.googleapis.com/google.type.Expr", value: Buffer.from(bytes) })).toBe(sent);
});

it("no data is no body", () => {
  expect(text(undefined)).toBe("");
});

it("bytes that are no value are an error", () => {
  expect(() => jobBody({ typeUrl: "type.googleapis.com/google.protobuf.Value", value: Buffer.from([0xff]) })).toThrow();
});
