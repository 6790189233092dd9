import { expect, it } from "vitest";
import { likeToGlob } from "./like-glob.ts";

it.each([
  ["a%", "a*"],
  ["a_b", "a?b"],
  ["100\\%", "100%"],
  ["a\\_b", "a_b"],
  ["a*b?", "a\\*b\\?"],
  ["[x]^", "\\[x\\]\\^"],
  ["\\\\", "\\\\"],
  ["\\*", "\\*"],
  ["end\\", "end\\\\"],
  ["é%", "é*"],
])("%s becomes %s", (pattern, glob) => {
  expect(likeToGlob(pattern)).toBe(glob);
});
