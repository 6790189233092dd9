import { describe, expect, it } from "vitest";
import { PathPatternError, PathPatterns } from "./path-patterns.ts";

describe("PathPatterns", () => {
  const patterns = new PathPatterns([
    "/a/{x}",
    "/a/b",
    "/a/{x}/c",
    "/files/{path...}",
    "/exact/{$}",
    "/tree/",
    "/{any}/b/c",
  ]);
  it.each([
    ["/a/b", "/a/b"],
    ["/a/z", "/a/{x}"],
    ["/a/b/c", "/a/{x}/c"],
    ["/z/b/c", "/{any}/b/c"],
    ["/a/", undefined],
    ["/files/", "/files/{path...}"],
    ["/files/1/2/3", "/files/{path...}"],
    ["/files", "/files/{path...}"],
    ["/exact/", "/exact/{$}"],
    ["/exact", "/exact/{$}"],
    ["/exact/1", undefined],
    ["/tree/leaf", "/tree/"],
    ["/tree", "/tree/"],
    ["/none", undefined],
  ])("%s fits %s", (path, pattern) => {
    expect(patterns.match(path)).toBe(pattern);
  });

  it("refuses two patterns for the same paths and wildcards inside a segment", () => {
    expect(() => new PathPatterns(["/a/{x}", "/a/{y}"])).toThrow(PathPatternError);
    expect(() => new PathPatterns(["/a/x{y}"])).toThrow(PathPatternError);
    expect(() => new PathPatterns(["/{$}/a"])).toThrow(PathPatternError);
  });
});
