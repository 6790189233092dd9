import { describe, expect, it } from "vitest";
import { formatSpiffeId, isSpiffeSegment, isTrustDomain, parseSpiffeId } from "./spiffe-id.ts";

describe("parseSpiffeId", () => {
  it.each([
    ["spiffe://public/ns/default/app", { trustDomain: "public", namespace: "default", appId: "app" }],
    ["spiffe://a-b.c_d.1/ns/N.s/A_p-p.1", { trustDomain: "a-b.c_d.1", namespace: "N.s", appId: "A_p-p.1" }],
    ["spiffe://td/ns/n/a/more/of.it", { trustDomain: "td", namespace: "n", appId: "a" }],
  ])("reads %s", (uri, id) => {
    expect(parseSpiffeId(uri)).toEqual(id);
  });

  it.each([
    "",
    "spiffe://",
    "spiffe:///ns/n/a",
    "SPIFFE://td/ns/n/a",
    "https://td/ns/n/a",
    "spiffe://Td/ns/n/a",
    "spiffe://td:1/ns/n/a",
    "spiffe://user@td/ns/n/a",
    "spiffe://td/ns/n",
    "spiffe://td/ns/n/",
    "spiffe://td/ns//a",
    "spiffe://td/ns/n/a/",
    "spiffe://td/sa/n/a",
    "spiffe://td/ns/n/../b",
    "spiffe://td/ns/./a",
    "spiffe://td/ns/n/..",
    "spiffe://td/ns/n/a/./b",
    "spiffe://td/ns/n/%61",
    "spiffe://td/ns/n/a?q=1",
    "spiffe://td/ns/n/a#f",
    "spiffe://td/ns/n/ä",
    "spiffe://td/ns/n/a\n",
    " spiffe://td/ns/n/a",
    `spiffe://${"t".repeat(256)}/ns/n/a`,
    `spiffe://td/ns/n/${"a".repeat(2048)}`,
  ])("takes %j for nobody", (uri) => {
    expect(parseSpiffeId(uri)).toBeUndefined();
  });
});

it("formatSpiffeId is the way back", () => {
  const id = { trustDomain: "td", namespace: "n", appId: "a" };
  expect(parseSpiffeId(formatSpiffeId(id))).toEqual(id);
});

it("knows what can stand in an id", () => {
  expect(["localhost", "cluster.local", "a_b-1"].every(isTrustDomain)).toBe(true);
  expect(["", "A", "a/b", "a:1", "t".repeat(256)].some(isTrustDomain)).toBe(false);
  expect(["default", "Dapr-System_1.x"].every(isSpiffeSegment)).toBe(true);
  expect(["", ".", "..", "a/b", "ä"].some(isSpiffeSegment)).toBe(false);
});
