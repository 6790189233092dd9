import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { StoredJobSchema } from "../../../wire/gen/cron/stored_pb.js";
import { KeyStoreError, type WatchedKeyStore } from "../store/key-store.ts";
import { prefixRange } from "../store/keys.ts";
import { SqliteKeyStore } from "../store/sqlite-key-store.ts";
import { memoryStoreOptions } from "../store/sqlite-schema.ts";
import { openLocalEngine } from "../../../storage/local-engine.ts";
import { appMetadata, SchedulerBench } from "../scheduler-bench.fixture.ts";
import type { TriggerEngine } from "./trigger-engine.ts";

const benches: SchedulerBench[] = [];

function open(store?: WatchedKeyStore): SchedulerBench {
  const bench = new SchedulerBench({ store });
  benches.push(bench);
  return bench;
}

async function keys(bench: SchedulerBench, prefix = "dapr/"): Promise<readonly string[]> {
  return (await bench.store.list(prefixRange(prefix), { limit: 100, keysOnly: true })).map(({ key }) => key);
}

afterEach(async () => {
  await Promise.all(benches.splice(0).map((bench) => bench.close()));
});

describe("a trigger", () => {
  it("comes when it is due and not before, and a job that is over leaves nothing behind", async () => {
    const bench = open();
    const sidecar = bench.sidecar();
    const startMs = bench.clock.now();
    await bench.job("once", { dueTime: "1500ms" });
    await bench.pass(1_499, 1);
    expect(sidecar.names).toEqual([]);
    await bench.pass(1, 1);
    expect(sidecar.received.map(({ name, atMs }) => [name, atMs - startMs])).toEqual([["once", 1_500]]);
    expect(await keys(bench)).toEqual([]);
    expect(bench.metric('dapr_scheduler_jobs_triggered_total{type="job"}')).toBe(1);
  });

  it("comes again and again, each time when it is due", async () => {
    const bench = open();
    const sidecar = bench.sidecar();
    const startMs = bench.clock.now();
    await bench.job("often", { schedule: "@every 1s", repeats: 3 });
    await bench.pass(10_000);
    expect(sidecar.received.map(({ atMs }) => atMs - startMs)).toEqual([1_000, 2_000, 3_000]);
  });

  it("waits for the result of the one before, and then catches up", async () => {
    const bench = open();
    const sidecar = bench.sidecar();
    sidecar.result = undefined;
    await bench.job("slow", { schedule: "@every 1s", repeats: 5 });
    await bench.pass(4_500);
    expect(sidecar.names).toEqual(["slow"]);
    sidecar.result = "SUCCESS";
    sidecar.received[0]?.answer("SUCCESS");
    await bench.pass(50, 1);
    expect(sidecar.names).toHaveLength(4);
    await bench.pass(500);
    expect(sidecar.names).toHaveLength(5);
  });

  it("does not come for a job that has been deleted, also when it waits to be sent", async () => {
    const bench = open();
    await bench.job("gone", { dueTime: "1s" });
    await bench.job("kept", { dueTime: "1s" });
    await bench.requests.delete({
      $typeName: "dapr.proto.scheduler.v1.DeleteJobRequest",
      name: "gone",
      metadata: appMetadata(),
    });
    await bench.pass(1_100);
    await bench.requests.delete({
      $typeName: "dapr.proto.scheduler.v1.DeleteJobRequest",
      name: "kept",
      metadata: appMetadata(),
    });
    const sidecar = bench.sidecar();
    await bench.pass(1_000);
    expect(sidecar.names).toEqual([]);
    const engine: TriggerEngine = bench.engine;
    expect(engine.size).toBe(0);
  });

  it("comes by the newest version of a job; the result of an older one counts for nothing", async () => {
    const bench = open();
    const sidecar = bench.sidecar();
    sidecar.result = undefined;
    await bench.job("twice", { dueTime: "0s" });
    await bench.pass(10);
    await expect(bench.job("twice", { dueTime: "5s" })).rejects.toMatchObject({ kind: "exists" });
    await bench.job("twice", { dueTime: "5s" }, { overwrite: true });
    sidecar.received[0]?.answer("SUCCESS");
    await bench.pass(4_000);
    expect(await keys(bench)).toEqual(["dapr/jobs/app||ns||app||twice"]);
    await bench.pass(1_500);
    expect(sidecar.names).toEqual(["twice", "twice"]);
  });
});

describe("failures", () => {
  it("are tried again three times, a second apart, where the job says nothing", async () => {
    const bench = open();
    const sidecar = bench.sidecar();
    sidecar.result = "FAILED";
    const startMs = bench.clock.now();
    await bench.job("bad", { dueTime: "0s" });
    await bench.pass(10_000);
    expect(sidecar.received.map(({ atMs }) => Math.floor((atMs - startMs) / 1_000))).toEqual([0, 1, 2, 3]);
    expect(await keys(bench)).toEqual([]);
    expect(bench.metric('dapr_scheduler_jobs_failed_total{type="job"}')).toBe(4);
  });

  it("keep their count over a restart", async () => {
    const engine = openLocalEngine(memoryStoreOptions());
    const first = open(new SqliteKeyStore(engine, 1e9));
    const sidecar = first.sidecar();
    sidecar.result = "FAILED";
    await first.job("bad", {
      dueTime: "0s",
      failurePolicy: { policy: { case: "constant", value: { maxRetries: 3, interval: { seconds: 1n } } } },
    });
    await first.pass(1_100);
    expect(sidecar.names).toHaveLength(2);
    first.engine.stop();
    const second = new SchedulerBench({ store: new SqliteKeyStore(engine, 1e9) });
    second.clock.advance(60_000);
    const later = second.sidecar();
    later.result = "FAILED";
    await second.engine.load();
    await second.pass(10_000);
    expect(later.names).toHaveLength(2);
    second.engine.stop();
  });
});

describe("without anybody to take them, triggers", () => {
  it("wait until somebody connects, and are counted once", async () => {
    const bench = open();
    await bench.job("early", { dueTime: "0s" });
    await bench.reminder("type", "remind", { dueTime: "0s" });
    await bench.pass(60_000, 1_000);
    expect(bench.metric('dapr_scheduler_jobs_undelivered_total{type="job"}')).toBe(1);
    expect(bench.metric('dapr_scheduler_jobs_undelivered_total{type="actor"}')).toBe(1);
    const other = bench.sidecar({ appId: "other", actorTypes: ["other"] });
    const sidecar = bench.sidecar({ actorTypes: ["type"] });
    await bench.pass(10);
    expect(sidecar.names.toSorted()).toEqual(["early", "remind"]);
    expect(other.names).toEqual([]);
  });

  it("go to the next one when a sidecar leaves with them", async () => {
    const bench = open();
    const first = bench.sidecar();
    first.result = undefined;
    await bench.job("moving", { dueTime: "0s" });
    await bench.pass(10);
    expect(first.names).toEqual(["moving"]);
    const second = bench.sidecar();
    first.disconnect();
    await bench.pass(10);
    expect(second.names).toEqual(["moving"]);
    expect(bench.metric("dapr_scheduler_sidecars_connected")).toBe(1);
  });

  it("go to the sidecars of an app in turn", async () => {
    const bench = open();
    const sidecars = [bench.sidecar(), bench.sidecar(), bench.sidecar()];
    for (let count = 0; count < 9; count += 1) {
      await bench.job(`job-${count}`, { dueTime: "0s" });
    }
    await bench.pass(10);
    expect(sidecars.map(({ names }) => names.length)).toEqual([3, 3, 3]);
  });

  it("go only to sidecars that take their kind", async () => {
    const bench = open();
    const sidecar = bench.sidecar({ acceptJobTypes: [1], actorTypes: ["type"] });
    await bench.job("job", { dueTime: "0s" });
    await bench.reminder("type", "remind", { dueTime: "0s" });
    await bench.pass(10);
    expect(sidecar.names).toEqual(["remind"]);
  });
});

describe("after a restart", () => {
  it("what was missed comes in quick succession, and the schedule goes on", async () => {
    const engine = openLocalEngine(memoryStoreOptions());
    const first = open(new SqliteKeyStore(engine, 1e9));
    first.sidecar();
    await first.job("often", { schedule: "@every 10s", repeats: 10 });
    await first.pass(20_500, 500);
    first.engine.stop();
    const second = new SchedulerBench({ store: new SqliteKeyStore(engine, 1e9) });
    second.clock.advance(55_000);
    const sidecar = second.sidecar();
    await second.engine.load();
    await second.pass(100, 10);
    expect(sidecar.names).toHaveLength(3);
    await second.pass(60_000, 1_000);
    expect(sidecar.names).toHaveLength(8);
    second.engine.stop();
  });
});

describe("a job that cannot be read", () => {
  it("is left alone, shown, and stops nobody else", async () => {
    const bench = open();
    const sidecar = bench.sidecar();
    const value = toBinary(StoredJobSchema, create(StoredJobSchema, { job: { schedule: "TZ=nowhere" } }));
    await bench.store.commit({
      apply: [
        { kind: "put", key: "dapr/jobs/app||ns||app||broken", value },
        { kind: "put", key: "dapr/jobs/app||ns||app||noise", value: Buffer.from("noise") },
      ],
    });
    await bench.job("good", { dueTime: "1s" });
    await bench.pass(2_000);
    expect(sidecar.names).toEqual(["good"]);
    expect(bench.metric("outrigger_scheduler_malformed_jobs")).toBe(2);
    await bench.store.commit({ apply: [{ kind: "delete range", range: prefixRange("dapr/jobs/") }] });
    expect(bench.metric("outrigger_scheduler_malformed_jobs")).toBe(0);
  });
});

describe("a store that fails", () => {
  it("is tried again until what became of a trigger is written; it does not come twice meanwhile", async () => {
    const real = new SqliteKeyStore(openLocalEngine(memoryStoreOptions()), 1e9);
    let broken = false;
    const store: WatchedKeyStore = {
      get revision() {
        return real.revision;
      },
      get bytes() {
        return real.bytes;
      },
      get: (key) => real.get(key),
      list: (range, options) => real.list(range, options),
      count: (range) => real.count(range),
      watch: (listener) => real.watch(listener),
      follow: (range, follower) => real.follow(range, follower),
      close: () => real.close(),
      commit: async (commit) => {
        if (broken) {
          throw new KeyStoreError("failed", "database or disk is full");
        }
        return await real.commit(commit);
      },
    };
    const bench = open(store);
    const sidecar = bench.sidecar();
    await bench.job("once", { dueTime: "1s" });
    broken = true;
    await bench.pass(30_000, 500);
    expect(sidecar.names).toEqual(["once"]);
    expect(bench.engine.waitMs("storing")).toBeGreaterThan(0);
    broken = false;
    await bench.pass(2_000);
    expect(await keys(bench)).toEqual([]);
    expect(bench.engine.waitMs("storing")).toBe(0);
  });
});
