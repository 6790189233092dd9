import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { StoredJobSchema } from "../../../wire/gen/cron/stored_pb.js";
import { shareOf } from "../sidecars/gate.ts";
import { shareOfHost } from "./host-list.ts";
import { owns, partitionIdOf, partitionOf } from "./partition.ts";

describe("a member's part of the jobs", () => {
  it("is by the order of the keys' bytes, as in go-etcd-cron", () => {
    const keys = ["def", "abc", "zyx", "\u{1f600}", "\uffee"].map((id) => `dapr/leadership/${id}`);
    expect(partitionOf("def", keys)).toEqual({ index: 1, total: 5 });
    expect(partitionOf("\uffee", keys)).toEqual({ index: 3, total: 5 });
    expect(partitionOf("\u{1f600}", keys)).toEqual({ index: 4, total: 5 });
    expect(partitionOf("ab", keys)).toBeUndefined();
  });

  it.each([
    [0, 2, 1n, false],
    [1, 2, 1n, true],
    [0, 2, 2n, true],
    [2, 4, 3n, false],
    [3, 4, 3n, true],
    [1, 3, 3n, false],
    [0, 3, 18_446_744_073_709_551_615n, true],
    [0, 1, 7n, true],
  ])("%i of %i: partition id %s is its own: %s", (index, total, id, own) => {
    expect(owns({ index, total }, id)).toBe(own);
  });

  it("is told by the stored job's own number", () => {
    const job = create(StoredJobSchema, { partitionId: 18_446_744_073_709_551_615n, job: { schedule: "@daily" } });
    expect(partitionIdOf(toBinary(StoredJobSchema, job))).toBe(18_446_744_073_709_551_615n);
    expect(partitionIdOf(toBinary(StoredJobSchema, create(StoredJobSchema, { job: {} })))).toBe(0n);
    expect(() => partitionIdOf(Buffer.from("no message"))).toThrow();
  });
});

describe("a scheduler's share of a limit", () => {
  it.each([
    [10, 3, [4, 3, 3]],
    [9, 3, [3, 3, 3]],
    [2, 3, [1, 1, 1]],
    [5, 1, [5]],
  ])("of %i among %i", (limit, total, shares) => {
    expect(Array.from({ length: total }, (_, index) => shareOf(limit, { index, total }))).toEqual(shares);
  });

  it("goes by the order of addresses", () => {
    const hosts = ["10.0.0.9:1", "10.0.0.10:1", "10.0.0.1:1"];
    expect(shareOfHost(hosts, "10.0.0.9:1")).toEqual({ index: 2, total: 3 });
    expect(shareOfHost(hosts, "unknown:1")).toEqual({ index: 0, total: 3 });
    expect(shareOfHost([], "unknown:1")).toEqual({ index: 0, total: 1 });
  });
});
