import { create } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { WatchJobsRequestInitialSchema } from "../../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { SchedulerBench, type TestSidecar } from "../scheduler-bench.fixture.ts";
import { GateBook } from "./gate-book.ts";

let bench: SchedulerBench;

interface Limit {
  readonly type: string;
  readonly name?: string;
  readonly max: number;
}

function sidecar(types: readonly string[], ...limits: readonly Limit[]): TestSidecar {
  const one = bench.sidecar({
    actorTypes: [...types],
    concurrencyLimits: limits.map(({ type, name, max }) => ({
      maxConcurrent: max,
      target: { case: "actor", value: { type } },
      ...(name === undefined ? {} : { name }),
    })),
  });
  one.result = undefined;
  return one;
}

function answer(one: TestSidecar, name: string, result: "SUCCESS" | "FAILED" = "SUCCESS"): void {
  one.received.find((trigger) => trigger.name === name)?.answer(result);
}

afterEach(async () => {
  await bench.close();
});

it("a book forgets a limit with the last stream that asks for it, and takes none that is no limit", () => {
  bench = new SchedulerBench();
  const book = new GateBook(bench.metrics);
  const target = { case: "actor", value: { type: "work" } } as const;
  const initial = create(WatchJobsRequestInitialSchema, {
    concurrencyLimits: [{ maxConcurrent: 2, target }, { maxConcurrent: 0, target }, { maxConcurrent: 1 }],
  });
  const [first, second] = [book.join(initial), book.join(initial)];
  expect(first.map(({ key, limit }) => [key, limit])).toEqual([["work", 2]]);
  book.leave(first);
  expect(book.isEmpty).toBe(false);
  book.leave(second);
  expect(book.isEmpty).toBe(true);
});

describe("a concurrency limit", () => {
  it("lets so many be under way at a time, in the order in which they were due", async () => {
    bench = new SchedulerBench();
    const one = sidecar(["work"], { type: "work", max: 2 });
    for (const name of ["a", "b", "c", "d"]) {
      await bench.reminder("work", name, { dueTime: "0s" });
    }
    await bench.pass(20, 10);
    expect(one.names).toEqual(["a", "b"]);
    expect(bench.metric('dapr_scheduler_concurrency_pending{concurrency_key="work"}')).toBe(2);
    expect(bench.metric('dapr_scheduler_concurrency_inflight{concurrency_key="work"}')).toBe(2);
    expect(bench.metric('dapr_scheduler_concurrency_throttled_total{concurrency_key="work"}')).toBe(2);
    answer(one, "b");
    await bench.pass(20, 10);
    expect(one.names).toEqual(["a", "b", "c"]);
    answer(one, "a", "FAILED");
    await bench.pass(20, 10);
    expect(one.names).toEqual(["a", "b", "c", "d"]);
    answer(one, "c");
    answer(one, "d");
    await bench.pass(20, 10);
    expect(bench.metric('dapr_scheduler_concurrency_inflight{concurrency_key="work"}')).toBe(0);
  });

  it("holds nobody back who does not need it, also behind one who does", async () => {
    bench = new SchedulerBench();
    const limits = [
      { type: "work", max: 3 },
      { type: "work", name: "mail", max: 1 },
    ];
    const one = sidecar(["work", "other"], ...limits);
    await bench.reminder("work", "mail-1", { dueTime: "0s" }, "mail");
    await bench.reminder("work", "mail-2", { dueTime: "0s" }, "mail");
    await bench.reminder("work", "plain", { dueTime: "0s" }, "print");
    await bench.reminder("other", "other", { dueTime: "0s" }, "mail");
    await bench.job("job", { dueTime: "0s" });
    await bench.pass(20, 10);
    expect(one.names.toSorted()).toEqual(["job", "mail-1", "other", "plain"]);
    answer(one, "mail-1");
    await bench.pass(20, 10);
    expect(one.names.at(-1)).toBe("mail-2");
  });

  it("ends with the last sidecar that asks for it", async () => {
    bench = new SchedulerBench();
    const limited = sidecar(["work"], { type: "work", max: 1 });
    await bench.reminder("work", "a", { dueTime: "0s" });
    await bench.reminder("work", "b", { dueTime: "0s" });
    await bench.pass(20, 10);
    expect(limited.names).toEqual(["a"]);
    const free = sidecar(["work"]);
    limited.disconnect();
    await bench.pass(20, 10);
    expect(free.names.toSorted()).toEqual(["a", "b"]);
  });

  it("is one of a namespace, and rises for those who wait", async () => {
    bench = new SchedulerBench();
    const one = sidecar(["work"], { type: "work", max: 1 });
    await bench.reminder("work", "a", { dueTime: "0s" });
    await bench.reminder("work", "b", { dueTime: "0s" });
    await bench.pass(20, 10);
    const more = sidecar(["work"], { type: "work", max: 2 });
    await bench.pass(20, 10);
    expect([...one.names, ...more.names].toSorted()).toEqual(["a", "b"]);
  });

  it("does not send what was deleted while it waited", async () => {
    bench = new SchedulerBench();
    const one = sidecar(["work"], { type: "work", max: 1 });
    for (const name of ["a", "b", "c"]) {
      await bench.reminder("work", name, { dueTime: "0s" });
    }
    await bench.pass(20, 10);
    await bench.store.commit({ apply: [{ kind: "delete", key: "dapr/jobs/actorreminder||ns||work||id||b" }] });
    answer(one, "a");
    await bench.pass(20, 10);
    expect(one.names).toEqual(["a", "c"]);
  });
});
