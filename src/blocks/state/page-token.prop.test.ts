import fc from "fast-check";
import { expect, test } from "vitest";
import { decodePageToken, encodePageToken } from "./page-token.ts";

test("a token gives its key back, and fits into a URL", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (key) => {
      const token = encodePageToken(key);
      expect(token).toBe(encodeURIComponent(token));
      expect(decodePageToken(token)).toBe(key);
    }),
  );
});

test("any other text is refused", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        expect(encodePageToken(decodePageToken(text))).toBe(text);
      } catch (error) {
        expect(error).toMatchObject({ name: "ApiError", httpStatus: 400 });
      }
    }),
  );
});
