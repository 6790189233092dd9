import { expect, it } from "vitest";
import { goUnquoteOrKeep } from "./go-unquote.ts";

/** Right-hand sides come from Go's strconv.Unquote, or are the text itself where Go refuses it. */
it.each([
  ["plain", "plain"],
  ["", ""],
  ['"', '"'],
  ['""', ""],
  ['"a\\tb\\n"', "a\tb\n"],
  ['"\\u00e9\\x41\\101\\U0001F600"', "éAA😀"],
  ["`raw\\n`", "raw\\n"],
  ["`a`b`", "`a`b`"],
  ['"a"b"', '"a"b"'],
  ['"open', '"open'],
  ['"\\q"', '"\\q"'],
  ['{"a":1}', '{"a":1}'],
])("%j", (text, value) => {
  expect(goUnquoteOrKeep(text)).toBe(value);
});
