import { describe, expect, it } from "vitest";
import { LINE_CHARACTERS_MAX, LineSplitter } from "./line-reader.ts";

function linesOf(...chunks: readonly (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => void lines.push(line));
  for (const chunk of chunks) {
    splitter.write(Buffer.from(chunk as string));
  }
  splitter.end();
  return lines;
}

describe("lines of a stream", () => {
  it.each([
    [["a\nb\n"], ["a", "b"]],
    [["a\n\nb"], ["a", "", "b"]],
    [["a\r\nb\r\n"], ["a", "b"]],
    [
      ["a\r", "\nb"],
      ["a", "b"],
    ],
    [["1%\r2%\n"], ["1%\r2%"]],
    [[""], []],
    [
      ["on", "e\ntw", "o"],
      ["one", "two"],
    ],
  ])("of %j are %j", (chunks, lines) => {
    expect(linesOf(...chunks)).toEqual(lines);
  });

  it("put a character together that came in two pieces", () => {
    const [first, ...rest] = Buffer.from("ü\n");
    expect(linesOf(Buffer.from([first!]), Buffer.from(rest))).toEqual(["ü"]);
  });

  it("show bytes that are no UTF-8 as such", () => {
    expect(linesOf(Buffer.from([0x61, 0xff, 0x62, 0x0a]), Buffer.from([0xc3]))).toEqual(["a\uFFFDb", "\uFFFD"]);
  });

  it("come in pieces when they are too long, without a character torn", () => {
    const long = `x${"😀".repeat(LINE_CHARACTERS_MAX)}`;
    const pieces = linesOf(long.slice(0, 70_001), long.slice(70_001), "\nshort\n");
    expect(pieces.pop()).toBe("short");
    expect(pieces.join("")).toBe(long.slice(0, 70_001).toWellFormed() + long.slice(70_001).toWellFormed());
    expect(Math.max(...pieces.map((piece) => piece.length))).toBe(LINE_CHARACTERS_MAX);
  });

  it("hold no more than one line that never ends", () => {
    let seen = 0;
    const splitter = new LineSplitter((line) => (seen += line.length));
    for (let i = 0; i < 100; i += 1) {
      splitter.write(Buffer.alloc(10_000, "y"));
    }
    expect(1_000_000 - seen).toBeLessThanOrEqual(LINE_CHARACTERS_MAX);
  });
});
