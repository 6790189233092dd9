import { expect, it } from "vitest";
import { queryMetadata } from "./reply.ts";

it("takes the first value of each metadata parameter, whatever its name", () => {
  const metadata = queryMetadata(
    "a=1&metadata.ttlInSeconds=5&metadata.ttlInSeconds=6&metadata.constructor=x&metadata.__proto__=y&metadata.a%20b=+",
  );
  expect(Object.entries(metadata)).toEqual([
    ["ttlInSeconds", "5"],
    ["constructor", "x"],
    ["__proto__", "y"],
    ["a b", " "],
  ]);
});
