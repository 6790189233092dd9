import { describe, expect, it } from "vitest";
import { decodeGoBase64 } from "./go-base64.ts";

describe("decodeGoBase64", () => {
  it.each([
    ["", ""],
    ["YQ==", "a"],
    ["YWI=", "ab"],
    ["YWJj", "abc"],
    ["Y\nW\r\nJ=\n", "ab"],
    ["YQ=\n=\n", "a"],
  ])("reads %j as %j", (text, bytes) => {
    expect(decodeGoBase64(text).toString()).toBe(bytes);
  });

  it.each([
    ["Y", 0],
    ["YWJjYWI", 4],
    ["YQ=", 3],
    ["YQ=x", 2],
    ["YWI=x", 4],
    ["YQ==YQ==", 4],
    ["=", 0],
    ["Y===", 1],
    ["YW-j", 2],
    ["YW J", 2],
  ])("names the place in %j as Go does: %i", (text, offset) => {
    expect(decodeGoBase64(text)).toBe(offset);
  });
});
