import { expect, it } from "vitest";
import { CsvError, parseCsv } from "./csv.ts";

function fieldsOf(text: string): string[][] {
  return [...parseCsv(text)].map((record) => record.fields);
}

it.each([
  ["nothing", "", []],
  ["one line, unfinished", "a,b", [["a", "b"]]],
  [
    "both line breaks",
    "a,b\nc,d\r\ne,f\n",
    [
      ["a", "b"],
      ["c", "d"],
      ["e", "f"],
    ],
  ],
  ["empty fields", ",a,\n", [["", "a", ""]]],
  ["a comma at the end of the text", "a,", [["a", ""]]],
  ["an empty line", "a\n\nb\n", [["a"], [""], ["b"]]],
  ["quotes", '"a, b","say ""hi""",""\n', [["a, b", 'say "hi"', ""]]],
  [
    "line breaks in quotes",
    '"a\r\nb",c\nd,e',
    [
      ["a\r\nb", "c"],
      ["d", "e"],
    ],
  ],
  ["a byte order mark", "\uFEFFa,b\n", [["a", "b"]]],
  ["spaces", " a , b\n", [[" a ", " b"]]],
])("reads %s", (_what, text, fields) => {
  expect(fieldsOf(text)).toEqual(fields);
});

it("counts lines, also those inside quotes", () => {
  expect([...parseCsv('a\n"b\n\nc"\nd\n')].map((record) => record.line)).toEqual([1, 2, 5]);
});

it.each([
  ["a quote inside a field", 'x\na"b,c\n', "line 2: a quote inside a field"],
  ["text after a closing quote", 'x\n"a" ,b\n', "line 2: text after a closing quote"],
  ["a field that never closes", 'x\n"a,b\n', "line 2: a quoted field without its closing quote"],
  ["a lone carriage return", "a\rb\n", "line 1: a carriage return without its line feed"],
])("refuses %s", (_what, text, message) => {
  expect(() => fieldsOf(text)).toThrow(CsvError);
  expect(() => fieldsOf(text)).toThrow(message);
});
