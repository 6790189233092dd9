import fc from "fast-check";
import { expect, it } from "vitest";
import { localTarget, returnLocation } from "./return-target.ts";

it("whatever was asked for, a browser stays at the host", () => {
  const piece = fc.constantFrom("/", "\\", "evil.test", "http://", "@", "?", "#", ":", ".", "a");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const target = localTarget(pieces.join(""));
      expect(new URL(target, "https://shop.test").host).toBe("shop.test");
      expect(new URL(returnLocation(target, ["host", "shop.test"], true)).host).toBe("shop.test");
    }),
  );
});

it.each([
  ["/a?b=1", "/a?b=1"],
  ["//evil.test/x", "/evil.test/x"],
  ["/\\evil.test", "/evil.test"],
  ["http://evil.test/", "/"],
  ["*", "/"],
  [`/${"a".repeat(2048)}`, "/"],
])("%s leads back to %s", (target, local) => {
  expect(localTarget(target)).toBe(local);
});

it.each([
  ["shop.test:8080", true, "https://shop.test:8080/a"],
  ["shop.test", false, "/a"],
  ["evil.test/@shop", true, "/a"],
  ["", true, "/a"],
])("by host %j with https forced: %s: %s", (host, forced, location) => {
  expect(returnLocation("/a", ["Host", host], forced)).toBe(location);
});
