import { beforeEach, expect, it } from "vitest";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import { Cancellation } from "../kit/cancel-signal.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { GrpcError } from "../net/grpc/status.ts";
import type { GrpcMethod } from "../net/grpc/types.ts";
import { CALL_TIMEOUT_MS, SCHEDULERS_MAX, WAITING_CALLS_MAX } from "./limits.ts";
import { SchedulerPool } from "./scheduler-pool.ts";
import { calmRandom, FakeScheduler, settle, unreachable } from "./scheduling.fixture.ts";

const method = { path: "/s/M", kind: "unary" } as GrpcMethod<string, string>;

let schedulers: Map<string, FakeScheduler>;
let clock: VirtualClock;
let pool: SchedulerPool;

beforeEach(() => {
  schedulers = new Map();
  clock = new VirtualClock();
  pool = new SchedulerPool({
    connect: (address) => {
      const scheduler = new FakeScheduler();
      scheduler.answer = () => address;
      schedulers.set(address, scheduler);
      return scheduler;
    },
    clock,
    random: calmRandom,
  });
});

const call = (signal?: Cancellation): Promise<string> => pool.call(method, "request", signal);

it("calls wait for the first hosts, then schedulers take turns", async () => {
  const first = call();
  await settle();
  pool.replace(["a", "b"]);
  expect([await first, await call(), await call()]).toEqual(["b", "a", "b"]);
});

it("calls fail when no scheduler is found in time, the caller goes or the sidecar stops", async () => {
  const late = expect(call()).rejects.toThrow("context deadline exceeded");
  clock.advance(CALL_TIMEOUT_MS);
  await late;
  const caller = new Cancellation();
  const left = expect(call(caller)).rejects.toThrow("context canceled");
  caller.abort(new Error("gone"));
  await left;
  const stopped = expect(call()).rejects.toThrow("context canceled");
  await pool.close();
  await stopped;
  expect(clock.pendingTimers).toBe(0);
});

it("no more calls than the limit wait", async () => {
  const waiting = Array.from({ length: WAITING_CALLS_MAX }, () => call());
  await expect(call()).rejects.toThrow("check that --scheduler-host-address names one that can be reached");
  pool.replace(["a"]);
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(["a"]));
});

it.each([
  ["is not there", unreachable()],
  ["is going away", new GrpcError(GRPC_STATUS.CANCELLED, "context canceled")],
])("a scheduler that %s is passed over", async (_what, error) => {
  pool.replace(["a", "b"]);
  (schedulers.get("b") as FakeScheduler).answer = () => Promise.reject(error);
  const answer = call();
  await settle();
  clock.advance(250);
  expect(await answer).toBe("a");
});

it("a scheduler's own answer is final", async () => {
  pool.replace(["a"]);
  const scheduler = schedulers.get("a") as FakeScheduler;
  scheduler.answer = () => Promise.reject(new GrpcError(GRPC_STATUS.UNAVAILABLE, "no quorum"));
  await expect(call()).rejects.toThrow("no quorum");
  expect(scheduler.calls.length).toBe(1);
});

it("with no scheduler to be reached a call ends at its time", async () => {
  pool.replace(["a"]);
  (schedulers.get("a") as FakeScheduler).answer = () => Promise.reject(unreachable());
  const failed = expect(call()).rejects.toMatchObject({ code: GRPC_STATUS.DEADLINE_EXCEEDED });
  for (let ms = 0; ms <= CALL_TIMEOUT_MS; ms += 250) {
    await settle();
    clock.advance(250);
  }
  await failed;
});

it("keeps the connections of those that stay, and hands out those of others", () => {
  pool.replace(["a", "b"]);
  const { a, b } = Object.fromEntries(schedulers);
  expect(pool.replace(["b", "c"])).toEqual([a]);
  expect([...pool.clients.keys()]).toEqual(["b", "c"]);
  expect(pool.clients.get("b")).toBe(b);
});

it("says so when the cluster is empty, and does not follow one without end", async () => {
  pool.replace([]);
  await expect(call()).rejects.toThrow("no scheduler client initialized");
  pool.replace(Array.from({ length: SCHEDULERS_MAX + 1 }, (_, index) => `host-${index}`));
  expect(pool.clients.size).toBe(SCHEDULERS_MAX);
});
