import fc from "fast-check";
import { expect, test } from "vitest";
import { methodTarget } from "../../app/method-target.ts";
import { canonicalMethod, InvalidMethodError } from "./method-path.ts";

const segment = fc.oneof(
  fc.constantFrom(
    "",
    ".",
    "..",
    "...",
    "a",
    "admin",
    "%2e%2e",
    "%2E.",
    ".%2e",
    "%2f..",
    "%252e%252e",
    "..%2f",
    "%25",
    "b c",
    "ü",
    "\\",
    '"',
  ),
  fc.string({ maxLength: 8 }),
);
const path = fc.array(segment, { maxLength: 8 }).map((segments) => segments.join("/"));

/** What an app makes of a request path: decoded once, or as often as anything changes. */
function readings(target: string): string[] {
  const read: string[] = [];
  for (let text = target; ;) {
    const next = text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    read.push(next);
    if (next === text) {
      return read;
    }
    text = next;
  }
}

function isForbidden(method: string): boolean {
  return Array.from(method).some(
    (character) => character === "#" || character === "?" || character < " " || character === "\x7f",
  );
}

test("a canonical method is stable, relative and free of dot segments", () => {
  fc.assert(
    fc.property(path, (method) => {
      let canonical: string;
      try {
        canonical = canonicalMethod(method);
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidMethodError);
        expect(isForbidden(method)).toBe(true);
        return;
      }
      expect(canonicalMethod(canonical)).toBe(canonical);
      expect(canonical).not.toMatch(/^\/|\/$|\/\/|(^|\/)\.{1,2}(\/|$)/);
      expect(isForbidden(canonical)).toBe(false);
    }),
  );
});

test("the app reads the canonical method from the request, or at least nothing above its root", () => {
  fc.assert(
    fc.property(path, (method) => {
      let canonical: string;
      let target: string;
      try {
        canonical = canonicalMethod(method);
        target = methodTarget(canonical, "q=1");
      } catch {
        return;
      }
      expect(target.endsWith("?q=1")).toBe(true);
      const sent = target.slice(0, -"?q=1".length);
      expect(sent).toMatch(/^\/[\x21-\x7e]*$/);
      expect(sent).not.toContain("#");
      const [once = ""] = readings(sent);
      expect(once).not.toMatch(/(^|\/)\.{1,2}(\/|$)/);
      if (!canonical.includes("%")) {
        expect(decodeURIComponent(sent)).toBe(`/${canonical.toWellFormed()}`);
      }
    }),
  );
});
