import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { systemRandom } from "../../kit/random.ts";
import { StoredLeadershipSchema } from "../../wire/gen/cron/stored_pb.js";
import { HostSchema } from "../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { keepLeadership } from "./leadership.ts";
import { SchedulerBench } from "./scheduler-bench.fixture.ts";
import { LeaseBook } from "./store/lease-book.ts";

const KEY = "dapr/leadership/me";

let bench: SchedulerBench;
let leases: LeaseBook;
let leave: () => Promise<void>;

beforeEach(async () => {
  bench = new SchedulerBench();
  leases = new LeaseBook(bench.store, bench.clock, systemRandom);
  const { store, clock } = bench;
  const deps = { store, leases, clock, random: systemRandom, logger: silentLogger };
  leave = await keepLeadership({ id: "me", address: "127.0.0.1:50006" }, deps);
});

afterEach(async () => {
  await leave();
  leases.close();
  await bench.close();
});

describe("the leadership key", () => {
  it("says where the scheduler is, and lives on", async () => {
    await bench.pass(120_000, 1_000);
    const kv = await bench.store.get(KEY);
    const { total, replicaData } = fromBinary(StoredLeadershipSchema, kv?.value ?? new Uint8Array());
    expect(total).toBe(1n);
    expect(replicaData && anyUnpack(replicaData, HostSchema)?.address).toBe("127.0.0.1:50006");
    expect(kv?.version).toBe(1);
    expect([...leases.all]).toHaveLength(1);
  });

  it("comes back when it is deleted, or its lease revoked", async () => {
    await bench.store.commit({ apply: [{ kind: "delete", key: KEY }] });
    await bench.pass(2_000, 500);
    expect(await bench.store.get(KEY)).toBeDefined();
    const [lease] = [...leases.all];
    await leases.revoke(lease?.id ?? 0);
    expect(await bench.store.get(KEY)).toBeUndefined();
    await bench.pass(2_000, 500);
    expect(await bench.store.get(KEY)).toBeDefined();
    expect([...leases.all]).toHaveLength(1);
  });

  it("goes with the scheduler", async () => {
    await leave();
    expect(await bench.store.get(KEY)).toBeUndefined();
  });
});

describe("leases", () => {
  it("take their keys with them when their time is over", async () => {
    const lease = leases.grant(5);
    const value = new Uint8Array();
    await bench.store.commit({ apply: [{ kind: "put", key: "a", value, lease: lease?.id ?? 0 }] });
    await bench.store.commit({ apply: [{ kind: "put", key: "b", value, lease: lease?.id ?? 0 }] });
    await bench.store.commit({ apply: [{ kind: "put", key: "b", value }] });
    await bench.pass(4_000, 500);
    expect(leases.keepAlive(lease?.id ?? 0)).toBe(lease);
    await bench.pass(4_000, 500);
    expect(await bench.store.get("a")).toBeDefined();
    await bench.pass(2_000, 500);
    expect(await bench.store.get("a")).toBeUndefined();
    expect(await bench.store.get("b")).toBeDefined();
    expect(leases.get(lease?.id ?? 0)).toBeUndefined();
  });
});
