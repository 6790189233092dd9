import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoredCounterSchema, StoredLeadershipSchema } from "../../../wire/gen/cron/stored_pb.js";
import { HostSchema } from "../../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { prefixRange } from "../store/keys.ts";
import { type BenchMember, ClusterBench } from "./cluster-bench.fixture.ts";
import { partitionIdOf } from "./partition.ts";

const JOB = "dapr/jobs/app||ns||app||";
const COUNTER = "dapr/counters/app||ns||app||";

let bench: ClusterBench;

beforeEach(() => {
  bench = new ClusterBench();
});

afterEach(() => bench.close());

async function three(): Promise<[BenchMember, BenchMember, BenchMember]> {
  const members: [BenchMember, BenchMember, BenchMember] = [bench.member("a"), bench.member("b"), bench.member("c")];
  await bench.pass(1_000);
  return members;
}

function names(...members: readonly BenchMember[]): readonly string[] {
  return members.flatMap(({ sidecar }) => sidecar.names).toSorted();
}

async function keys(): Promise<readonly string[]> {
  return (await bench.store.list(prefixRange("dapr/leadership/"), { limit: 10 })).map(({ key }) => key);
}

async function jobs(member: BenchMember, count: number, job: Parameters<BenchMember["job"]>[1]): Promise<string[]> {
  const all = Array.from({ length: count }, (_, index) => `job-${String(index).padStart(3, "0")}`);
  for (const name of all) {
    await member.job(name, job);
  }
  return all;
}

/** Triggers of a job that are stored as done. */
async function done(name: string): Promise<number> {
  const counter = await bench.store.get(COUNTER + name);
  return counter === undefined ? 0 : fromBinary(StoredCounterSchema, counter.value).count;
}

describe("members", () => {
  it("agree on who they are, and write Dapr's keys", async () => {
    const members = await three();
    expect(members.map(({ election }) => election?.partition)).toEqual([
      { index: 0, total: 3 },
      { index: 1, total: 3 },
      { index: 2, total: 3 },
    ]);
    expect(members[2].election?.hosts).toEqual(["a:1", "b:1", "c:1"]);
    const key = await bench.store.get("dapr/leadership/b");
    const { total, uid, replicaData } = fromBinary(StoredLeadershipSchema, key?.value ?? new Uint8Array());
    expect([total, uid]).toEqual([3n, members[1].membership.uid]);
    expect(replicaData && anyUnpack(replicaData, HostSchema)?.address).toBe("b:1");
  });

  it("trigger every job once, each the ones of its part", async () => {
    const members = await three();
    const all = await jobs(members[0], 60, { dueTime: "5s" });
    const partitions = new Map<string, number>();
    for (const name of all) {
      const kv = await bench.store.get(JOB + name);
      partitions.set(name, Number(partitionIdOf(kv?.value ?? new Uint8Array()) % 3n));
    }
    await bench.pass(7_000);
    expect(names(...members)).toEqual(all);
    for (const [index, { sidecar }] of members.entries()) {
      expect(sidecar.names.length).toBeGreaterThan(5);
      expect(new Set(sidecar.names.map((name) => partitions.get(name)))).toEqual(new Set([index]));
    }
    expect(await bench.store.count(prefixRange("dapr/jobs/"))).toBe(0);
  });

  it("hand their jobs over when they come and leave, none twice", async () => {
    const [a, b] = [bench.member("a"), bench.member("b")];
    await bench.pass(1_000);
    const all = await jobs(a, 30, { schedule: "@every 1s", repeats: 20 });
    await bench.pass(5_000);
    const c = bench.member("c");
    await bench.pass(5_000);
    await b.membership.close();
    await bench.pass(20_000);
    expect(c.sidecar.names.length).toBeGreaterThan(0);
    const counts = all.map((name) => names(a, b, c).filter((one) => one === name).length);
    expect(counts).toEqual(all.map(() => 20));
    expect(await keys()).toEqual(["dapr/leadership/a", "dapr/leadership/c"]);
  });

  it("wait for one that does not agree, and for one whose key cannot be read", async () => {
    const members = await three();
    await bench.store.commit({ apply: [{ kind: "put", key: "dapr/leadership/d", value: Buffer.from("?") }] });
    await bench.pass(3_000);
    expect(members.map(({ election }) => election)).toEqual([undefined, undefined, undefined]);
    await jobs(members[0], 5, { dueTime: "1s" });
    await bench.pass(10_000);
    expect(names(...members)).toEqual([]);
    await bench.store.commit({ apply: [{ kind: "delete", key: "dapr/leadership/d" }] });
    await bench.pass(3_000);
    expect(names(...members)).toHaveLength(5);
  });

  it("notice that others are as many, but not the same", async () => {
    const [, b, c] = await three();
    const stranger = create(StoredLeadershipSchema, { total: 3n, uid: 1n });
    const value = toBinary(StoredLeadershipSchema, stranger);
    await bench.store.commit({
      apply: [
        { kind: "delete", key: "dapr/leadership/a" },
        { kind: "put", key: "dapr/leadership/z", value },
      ],
    });
    await bench.pass(500);
    expect(b.election?.partition.index).not.toBe(1);
    expect(c.election?.partition.index).not.toBe(2);
  });

  it("put their key back when somebody takes it away", async () => {
    const members = await three();
    await bench.store.commit({ apply: [{ kind: "delete", key: "dapr/leadership/b" }] });
    await bench.pass(5_000);
    expect(await keys()).toHaveLength(3);
    expect(members[1].election?.partition).toEqual({ index: 1, total: 3 });
  });
});

describe("a member that is gone", () => {
  it("has its jobs triggered by the others when its lease is over", async () => {
    const [a, b, c] = await three();
    const all = await jobs(a, 30, { dueTime: "5s" });
    b.kill();
    await bench.pass(10_000);
    expect(names(a, b, c).length).toBeLessThan(all.length);
    await bench.pass(15_000);
    expect(names(a, b, c)).toEqual(all);
  });

  it("is back at once with the same data: nobody waits for its lease", async () => {
    const [a, b, c] = await three();
    const all = await jobs(a, 30, { dueTime: "5s" });
    b.kill();
    const again = bench.member("b", b.membership.uid);
    await bench.pass(10_000);
    expect(again.election?.partition).toEqual({ index: 1, total: 3 });
    expect(names(a, b, c, again)).toEqual(all);
  });

  it("keeps its key from others of its name", async () => {
    const [, b] = await three();
    b.kill();
    const other = bench.member("b");
    await bench.pass(10_000);
    expect(other.election).toBeUndefined();
    await bench.pass(20_000);
    expect(other.election?.partition).toEqual({ index: 1, total: 3 });
  });
});

describe("a member that cannot reach the store", () => {
  it("stops before anybody else can have its jobs, and comes back", async () => {
    const [a, b, c] = await three();
    const all = await jobs(a, 30, { schedule: "@every 1s" });
    await bench.pass(5_000);
    const cutMs = bench.clock.now();
    b.link.cut = true;
    await bench.pass(10_000);
    expect(b.membership.holds()).toBe(true);
    await bench.pass(8_000);
    expect(b.membership.holds()).toBe(false);
    await bench.pass(20_000);
    // What it triggered could not be stored: nothing came twice of it.
    for (const name of all) {
      expect(b.sidecar.received.filter((one) => one.name === name && one.atMs > cutMs).length).toBeLessThanOrEqual(1);
    }
    expect(a.election?.partition.total).toBe(2);
    b.link.cut = false;
    await bench.pass(10_000);
    expect(b.election?.partition).toEqual({ index: 1, total: 3 });
    for (const name of all) {
      const received = names(a, b, c).filter((one) => one === name).length;
      const stored = await done(name);
      expect(stored).toBeGreaterThan(40);
      expect(received - stored).toBeLessThanOrEqual(1);
      expect(received).toBeGreaterThanOrEqual(stored);
    }
  });

  it("does not repeat, when it is back, what others have triggered meanwhile", async () => {
    const [a, b, c] = await three();
    const all = await jobs(a, 30, { schedule: "@every 30s" });
    await bench.pass(5_000);
    b.link.cut = true;
    await bench.pass(35_000);
    expect(names(a, b, c)).toEqual(all);
    b.link.cut = false;
    await bench.pass(15_000);
    expect(b.election?.partition).toEqual({ index: 1, total: 3 });
    expect(names(a, b, c)).toEqual(all);
  });
});
