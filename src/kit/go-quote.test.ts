import { expect, it } from "vitest";
import { goQuote, goTimeQuote } from "./go-quote.ts";

it.each([
  ["plain", '"plain"'],
  ['say "hi" \\', '"say \\"hi\\" \\\\"'],
  ["a\n\t\r\v\f\b\u0007", '"a\\n\\t\\r\\v\\f\\b\\a"'],
  ["\u0000\u007f", '"\\x00\\x7f"'],
  ["é 日本 😀", '"é 日本 😀"'],
  ["\u00a0\u200b", '"\\u00a0\\u200b"'],
  ["\u{E0001}", '"\\U000e0001"'],
])("quotes %j as strconv.Quote does", (text, quoted) => {
  expect(goQuote(text)).toBe(quoted);
});

it("quotes for package time byte by byte", () => {
  expect(goTimeQuote('a"\\é\n')).toBe('"a\\"\\\\\\xc3\\xa9\\x0a"');
});
