import { expect, test } from "vitest";
import { FIELD, fieldKind, isFieldName } from "./field-kind.ts";

test.each([
  ["x-a", "1", FIELD.regular],
  ["x-a", "", FIELD.regular],
  ["x-a", "a\tb", FIELD.regular],
  [":method", "GET", FIELD.method],
  [":status", "200", FIELD.status],
  [":status", "099", FIELD.malformed],
  ["content-length", "0", FIELD.contentLength],
  ["content-length", "", FIELD.malformed],
  ["content-length", "1234567890123456", FIELD.malformed],
  ["te", "trailers", FIELD.regular],
  ["te", "gzip", FIELD.malformed],
  ["connection", "keep-alive", FIELD.malformed],
  [":protocol", "websocket", FIELD.malformed],
  ["x-a", "1 ", FIELD.malformed],
  ["x-a", "\t1", FIELD.malformed],
  ["x-a", "a\rb", FIELD.malformed],
  ["X-a", "1", FIELD.malformed],
  ["", "1", FIELD.malformed],
])("%j: %j is of kind %d", (name, value, kind) => {
  expect(fieldKind(name, value)).toBe(kind);
});

test("names that may be sent", () => {
  const names = ["x-a", "a!#$%&'*+-.^_`|~9", "te", ":path", "host:", "x a", "X", "upgrade", ""];
  expect(names.filter(isFieldName)).toEqual(["x-a", "a!#$%&'*+-.^_`|~9", "te"]);
});
