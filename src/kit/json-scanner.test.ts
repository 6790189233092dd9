import { describe, expect, test } from "vitest";
import { decodeJsonString, jsonFault, JsonScanner } from "./json-scanner.ts";

/** Texts as `json.NewDecoder(…).Decode` of Go 1.26 gave them for these inputs. */
const FAULTS: readonly (readonly [text: string, message: string])[] = [
  ["", "EOF"],
  [" \n", "EOF"],
  ["foobar", "invalid character 'o' in literal false (expecting 'a')"],
  ['[{"key":"a"},]', "invalid character ']' looking for beginning of value"],
  ['[{"key":"a",}]', "invalid character '}' looking for beginning of object key string"],
  ['[{"key" "a"}]', "invalid character '\"' after object key"],
  ['[{"key":"a" "b"}]', "invalid character '\"' after object key:value pair"],
  ['[{"key":"a"} {}]', "invalid character '{' after array element"],
  ["[{key:1}]", "invalid character 'k' looking for beginning of object key string"],
  ['[{"key":"a\nb"}]', "invalid character '\\n' in string literal"],
  ['[{"key":"a\\x"}]', "invalid character 'x' in string escape code"],
  ['[{"key":"\\u12g4"}]', "invalid character 'g' in \\u hexadecimal character escape"],
  ['[{"key":"a"', "unexpected EOF"],
  ['["abc', "unexpected EOF"],
  ['["\\', "unexpected EOF"],
  ["[1", "unexpected EOF"],
  ["[tru", "unexpected EOF"],
  ['{"a":01}', "invalid character '1' after object key:value pair"],
  ["[-x]", "invalid character 'x' in numeric literal"],
  ["[1.x]", "invalid character 'x' after decimal point in numeric literal"],
  ["[1ex]", "invalid character 'x' in exponent of numeric literal"],
  ["[1e+x]", "invalid character 'x' in exponent of numeric literal"],
  ["[truX]", "invalid character 'X' in literal true (expecting 'e')"],
  ["[nulX]", "invalid character 'X' in literal null (expecting 'l')"],
  ["['x']", "invalid character '\\'' looking for beginning of value"],
  ["[é]", "invalid character 'Ã' looking for beginning of value"],
];

describe("JsonScanner", () => {
  test.each(FAULTS)("%j is refused in Go's words", (text, message) => {
    expect(() => new JsonScanner(Buffer.from(text)).skip()).toThrow(message);
  });

  test("a control character is found wherever it stands in a long string", () => {
    for (let at = 0; at < 64; at += 1) {
      const text = `"${"x".repeat(at)}\u0001${"x".repeat(64 - at)}"`;
      expect(() => new JsonScanner(Buffer.from(text)).skip(), `at ${at}`).toThrow(
        "invalid character '\\x01' in string literal",
      );
    }
  });

  test("the end of a long string is found wherever quotes, escapes and other alphabets stand in it", () => {
    for (let at = 0; at < 40; at += 1) {
      for (const inner of ['\\"', "\\\\", "é", "\u{1F600}", " ", "~"]) {
        const literal = `"${"x".repeat(at)}${inner}${"x".repeat(at % 7)}"`;
        expect(Buffer.from(new JsonScanner(Buffer.from(`${literal}, 1]`)).sliceValue()).toString()).toBe(literal);
      }
    }
  });

  test("a value is cut out without the space around it and without a copy", () => {
    const bytes = Buffer.from('  {"a" : [1, {"b":null}]}  ');
    const slice = new JsonScanner(bytes).sliceValue();
    expect(Buffer.from(slice).toString()).toBe('{"a" : [1, {"b":null}]}');
    expect(slice.buffer).toBe(bytes.buffer);
  });

  test("nesting is allowed as deep as in Go and no deeper", () => {
    const nested = (depth: number): Buffer => Buffer.from("[".repeat(depth) + "]".repeat(depth));
    expect(jsonFault(nested(10_000))).toBeUndefined();
    expect(jsonFault(nested(10_002))).toBe("exceeded max depth");
  });

  test("strings are decoded, what is no Unicode becoming U+FFFD", () => {
    expect(decodeJsonString(Buffer.from('"a\\u00e9\\n\\"é"'))).toBe('aé\n"é');
    expect(decodeJsonString(Buffer.from('"\\ud800x"'))).toBe("\uFFFDx");
    expect(decodeJsonString(Buffer.from('""'))).toBe("");
  });
});

describe("jsonFault", () => {
  test.each([
    ["", "unexpected end of JSON input"],
    ['{"a"', "unexpected end of JSON input"],
    ['{"a":1} x', "invalid character 'x' after top-level value"],
    ["1 2", "invalid character '2' after top-level value"],
    ["foo", "invalid character 'o' in literal false (expecting 'a')"],
  ])("%j is refused in the words of json.Unmarshal", (text, message) => {
    expect(jsonFault(Buffer.from(text))).toBe(message);
  });

  test("a document is no fault", () => {
    expect(jsonFault(Buffer.from(' {"a":[true,false,null,-0.5e+3,"x"]} '))).toBeUndefined();
  });
});
