import { describe, expect, it } from "vitest";
import { editDistance, suggest } from "./distance.ts";

const FLAGS = ["app-id", "app-port", "app-protocol", "mode", "config"];

describe("suggest", () => {
  it.each([
    ["app-prot", "app-port"],
    ["app_id", "app-id"],
    ["APP-ID", "app-id"],
    ["confg", "config"],
    ["mdoe", "mode"],
    ["app-potocol", "app-protocol"],
    ["resources-path", undefined],
    ["x", undefined],
  ])("%s → %s", (word, wanted) => {
    expect(suggest(word, FLAGS)).toBe(wanted);
  });

  it("takes the first of equally near names", () => {
    expect(suggest("statx", ["state", "stats"])).toBe("state");
  });

  it("allows short words one edit only", () => {
    expect(suggest("abc", ["ayz"])).toBeUndefined();
    expect(suggest("ttl", ["ttls"])).toBe("ttls");
  });
});

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "", 3],
    ["ab", "ba", 1],
    ["kitten", "sitting", 3],
    ["ca", "abc", 3],
  ])("%j to %j", (a, b, edits) => {
    expect(editDistance(a, b)).toBe(edits);
  });
});
