import fc from "fast-check";
import { expect, test } from "vitest";
import { likeToGlob } from "./like-glob.ts";

/** What a glob matches when it has nothing special in it; undefined: it has. */
function literalOf(glob: string): string | undefined {
  let text = "";
  for (let at = 0; at < glob.length; at += 1) {
    const character = glob.charAt(at);
    if ("*?[".includes(character)) {
      return undefined;
    }
    at += character === "\\" ? 1 : 0;
    text += glob.charAt(at);
  }
  return text;
}

test("a text whose special characters are escaped for LIKE matches itself and nothing else", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("a", "%", "_", "\\", "*", "?", "[", "]", "^", "é") }), (text) => {
      expect(literalOf(likeToGlob(text.replaceAll(/[\\%_]/g, "\\$&")))).toBe(text);
    }),
  );
});
