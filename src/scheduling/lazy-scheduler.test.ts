import { expect, it } from "vitest";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { LazyScheduler } from "./lazy-scheduler.ts";
import { OPEN_RETRY_MS } from "./limits.ts";
import { settle } from "./scheduling.fixture.ts";
import type { LocalScheduler, SchedulerClient } from "./types.ts";

const APP = { kind: "app" } as const;

/** A scheduler that is opened `opened` times, and fails before that for `failures` times. */
class FakeLocal implements LocalScheduler {
  hasJobs: boolean;
  failures = 0;
  attempts = 0;
  readonly listeners = new Set<() => void>();

  constructor(hasJobs: boolean) {
    this.hasJobs = hasJobs;
  }

  async open(): ReturnType<LocalScheduler["open"]> {
    this.attempts += 1;
    if (this.attempts <= this.failures) {
      throw new Error("the folder is another's");
    }
    return () => {
      throw new Error("not in these tests");
    };
  }

  onOpen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
}

function bench(local: FakeLocal) {
  const asked: string[] = [];
  const errors: string[] = [];
  const clock = new VirtualClock();
  const ask = (what: string) => (): Promise<void> => Promise.resolve(void asked.push(what));
  const client = {
    addresses: ["somewhere"],
    start: ask("start"),
    serveApp: (handler: unknown) => Promise.resolve(void asked.push(handler === undefined ? "no app" : "app")),
    serveActors: (types: readonly string[]) => Promise.resolve(void asked.push(`actors ${types.join(" ")}`)),
    schedule: ask("schedule"),
    close: ask("close"),
  } as unknown as SchedulerClient;
  const logger = { error: (text: string) => void errors.push(text), scope: () => logger } as never;
  const lazy = new LazyScheduler({ local, connect: () => Promise.resolve(client), clock, logger });
  lazy.start();
  return { lazy, asked, errors, clock };
}

const handler = (): Promise<boolean> => Promise.resolve(true);

it("opens nothing for handlers while there are no jobs, and knows nobody", async () => {
  const local = new FakeLocal(false);
  const { lazy, asked } = bench(local);
  await lazy.serveApp(handler);
  await lazy.serveActors(["cat"], handler);
  expect([local.attempts, asked, lazy.addresses]).toEqual([0, [], []]);
  await lazy.close();
  expect([asked, local.listeners.size]).toEqual([[], 0]);
});

it("opens with the first call, once, and says who handles triggers by then", async () => {
  const local = new FakeLocal(false);
  const { lazy, asked } = bench(local);
  await lazy.serveActors(["cat"], handler);
  await Promise.all([
    lazy.schedule(APP, { name: "a" }, false),
    lazy.schedule(APP, { name: "b" }, false),
    lazy.serveApp(handler),
  ]);
  expect(local.attempts).toBe(1);
  expect(asked).toEqual(["start", "app", "actors cat", "schedule", "schedule"]);
  expect(lazy.addresses).toEqual(["somewhere"]);
  await lazy.serveApp(undefined);
  await lazy.close();
  expect(asked.slice(5)).toEqual(["no app", "close"]);
});

it("opens for handlers where there may be jobs, also when somebody else has opened it", async () => {
  const kept = bench(new FakeLocal(true));
  await kept.lazy.serveApp(handler);
  await settle();
  expect(kept.asked).toEqual(["start", "app"]);

  const local = new FakeLocal(false);
  const other = bench(local);
  await other.lazy.serveApp(handler);
  local.hasJobs = true;
  for (const listener of local.listeners) {
    listener();
  }
  await settle();
  expect(other.asked).toEqual(["start", "app"]);
});

it("asks for no triggers that nobody handles", async () => {
  const local = new FakeLocal(true);
  const { lazy } = bench(local);
  await lazy.serveApp(undefined);
  await lazy.serveActors([], handler);
  await settle();
  expect(local.attempts).toBe(0);
});

it("tries again what could not be opened, and complains once", async () => {
  const local = new FakeLocal(true);
  local.failures = 3;
  const { lazy, asked, errors, clock } = bench(local);
  await lazy.serveApp(handler);
  await settle();
  clock.advance(OPEN_RETRY_MS);
  await settle();
  expect([local.attempts, errors]).toEqual([
    2,
    ["no job and no reminder is triggered, which is tried again and again: the folder is another's"],
  ]);
  await expect(lazy.schedule(APP, { name: "a" }, false)).rejects.toThrow("the folder is another's");
  clock.advance(OPEN_RETRY_MS);
  await settle();
  expect([asked, errors.length, clock.pendingTimers]).toEqual([["start", "app"], 1, 0]);
});

it("tries nothing after its end", async () => {
  const local = new FakeLocal(true);
  local.failures = 1;
  const { lazy, clock } = bench(local);
  await lazy.serveApp(handler);
  await settle();
  await lazy.close();
  expect(clock.pendingTimers).toBe(0);
});
