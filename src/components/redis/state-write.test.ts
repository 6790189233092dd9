import { describe, expect, it } from "vitest";
import type { StateSetRequest } from "../spi/state.ts";
import { deleteArguments, fenceArguments, setArguments, ttlArgument } from "./state-write.ts";

const setOf = (value: string | Uint8Array, rest: Partial<StateSetRequest> = {}): StateSetRequest => ({
  key: "k",
  value: typeof value === "string" ? Buffer.from(value) : value,
  valueIsJson: false,
  etag: undefined,
  metadata: {},
  concurrency: "",
  consistency: "",
  ...rest,
});

const textsOf = (args: readonly (string | Buffer)[]): string[] => args.map(String);

describe("the arguments of a write", () => {
  it.each([
    [{}, ["set", "", "v", "7", "hash"]],
    [{ etag: "" }, ["set", "", "v", "7", "hash"]],
    [{ etag: "0" }, ["set", "", "v", "7", "hash"]],
    [{ etag: "+12" }, ["set", "12", "v", "7", "hash"]],
    [{ etag: "12", concurrency: "first-write" as const }, ["first", "12", "v", "7", "hash"]],
    [{ etag: "12", concurrency: "last-write" as const }, ["set", "", "v", "7", "hash"]],
    [{ metadata: { ttlInSeconds: "60" } }, ["set", "", "v", "60", "hash"]],
    [{ metadata: { ttlInSeconds: "-1" } }, ["set", "", "v", "0", "hash"]],
    [{ metadata: { ttlInSeconds: "" } }, ["set", "", "v", "7", "hash"]],
  ])("%j are %j", (rest, args) => {
    expect(textsOf(setArguments(setOf("v", rest), "hash", ttlArgument(7n)))).toEqual(args);
  });

  it("put JSON into a document as it is, and other bytes as base64", () => {
    expect(setArguments(setOf('{"b":1, "a":2}'), "json", "0")[2]).toBe('{"data":{"b":1, "a":2}}');
    expect(setArguments(setOf(Uint8Array.of(0xff, 0x00)), "json", "0")[2]).toBe('{"data":"/wA="}');
    expect(setArguments(setOf("1},{"), "json", "0")[2]).toBe('{"data":"MX0sew=="}');
  });
});

it.each([
  [{ etag: undefined }, ""],
  [{ etag: "0" }, ""],
  [{ etag: "3" }, "3"],
  [{ etag: "x" }, "x"],
  [{ etag: "3", concurrency: "last-write" as const }, ""],
])("a delete with %j is checked against %j", (rest, etag) => {
  const request = { key: "k", metadata: {}, concurrency: "" as const, consistency: "" as const, ...rest };
  expect(deleteArguments(request, "hash")).toEqual(["delete", etag, "", "0", "hash"]);
});

it("a fence stays for ever, and is compared with the whole value that it must hold", () => {
  const next = Buffer.from('"x-2"');
  expect(textsOf(fenceArguments({ key: "f", expected: Buffer.from('"x-1"'), next }, "hash"))).toEqual([
    "fence",
    '"x-1"',
    '"x-2"',
    "0",
    "hash",
  ]);
  expect(textsOf(fenceArguments({ key: "f", expected: undefined, next }, "json"))).toEqual([
    "fence",
    "",
    '{"data":"x-2"}',
    "0",
    "json",
  ]);
});
