import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ApiError } from "../errors/error.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import type { HttpExchange } from "../net/http/types.ts";
import { type ActorContext, createRuntime, createSharedScope, type Runtime } from "./index.ts";

const STORE = `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: store }
spec:
  type: state.in-memory
  version: v1
  metadata: [{ name: actorStateStore, value: "true" }]
`;

/** What happens here waits for nothing but this process and its disk. */
const PATIENCE_MS = 5_000;

let resources: string;
beforeAll(async () => {
  resources = await mkdtemp(join(tmpdir(), "outrigger-actors-"));
  await writeFile(join(resources, "store.yaml"), STORE);
});
afterAll(() => rm(resources, { recursive: true }));

/** What the actors of a test have lived through. */
const seen: string[] = [];

/** @param clock on which what is due at once is due */
async function until(what: string, holds: () => boolean, clock?: VirtualClock): Promise<void> {
  for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs;) {
    if (holds()) {
      return;
    }
    clock?.advance(1);
    await new Promise((resolve) => void setImmediate(resolve));
  }
  throw new Error(`${what} has not happened; what has: ${seen.join(", ")}`);
}

class Counter {
  readonly #actor: ActorContext;

  constructor(actor: ActorContext) {
    this.#actor = actor;
  }

  onActivate(): void {
    seen.push(`activated ${this.#actor.id}`);
  }

  onDeactivate(): void {
    seen.push(`deactivated ${this.#actor.id}`);
  }

  onReminder(name: string, data: unknown): void {
    seen.push(`reminder ${name} of ${this.#actor.id}: ${JSON.stringify(data)}`);
  }

  async add(by: number): Promise<number> {
    const count = ((await this.#actor.state.get<number>("count")) ?? 0) + by;
    await this.#actor.state.save({ count, last: by });
    return count;
  }

  async reset(): Promise<unknown> {
    await this.#actor.state.delete("count");
    return (await this.#actor.state.get("count")) ?? "gone";
  }

  tick(data: unknown): void {
    seen.push(`tick ${JSON.stringify(data)}`);
  }

  startTicking(): void {
    this.#actor.timers.set("ticker", "tick", { dueTime: "5s", period: "10s", data: { n: 1 } });
  }

  stopTicking(): void {
    this.#actor.timers.delete("ticker");
  }

  async remind(dueTime: string): Promise<void> {
    await this.#actor.reminders.set("wake", { dueTime, data: "up" });
  }

  async addToOther({ id, by }: { id: string; by: number }): Promise<number> {
    return await this.#actor.actor("Counter", id).call("add", by);
  }

  fail(): never {
    throw new RangeError("not today");
  }

  _hidden(): string {
    return "secret";
  }
}

function counters(more: Partial<Parameters<typeof createRuntime>[0]> = {}): Promise<Runtime> {
  seen.length = 0;
  return createRuntime({ appId: "shop", resourcesPaths: [resources], actors: { Counter }, ...more });
}

it("hosts classes whose state is committed at once, one turn at a time", async () => {
  const runtime = await counters();
  const counter = runtime.actor("Counter", "a");
  expect(await Promise.all([counter.call("add", 1), counter.call("add", 1), counter.call("add", 1)])).toEqual([
    1, 2, 3,
  ]);
  expect(await runtime.actor("Counter", "b").call("add", 5)).toBe(5);
  expect(await counter.call("addToOther", { id: "b", by: 2 })).toBe(7);
  const stored = await runtime.actors.getState({ type: "Counter", id: "a" }, "last");
  expect(Buffer.from(stored?.data ?? []).toString()).toBe("1");
  expect(await counter.call("reset")).toBe("gone");
  expect(seen).toEqual(["activated a", "activated b"]);
  expect(runtime.actors.status()).toMatchObject({ status: "RUNNING", active: [{ type: "Counter", count: 2 }] });
  await runtime.close();
  expect(seen.slice(2).toSorted()).toEqual(["deactivated a", "deactivated b"]);
});

it("answers the routes of the HTTP API for them", async () => {
  const runtime = await counters();
  const answer = await runtime.request({
    method: "POST",
    target: "/v1.0/actors/Counter/a/method/add",
    headers: [],
    body: Buffer.from("4"),
  });
  expect(answer.status).toBe(200);
  await runtime.close();
});

it("says what a method failed with, and which methods there are not", async () => {
  const runtime = await counters();
  const counter = runtime.actor("Counter", "a");
  const failure = await counter.call("fail").catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApiError);
  expect(failure).toMatchObject({
    message: expect.stringContaining("not today") as string,
    cause: { cause: expect.any(RangeError) as RangeError },
  });
  for (const method of ["none", "_hidden", "constructor", "onReminder", "toString"]) {
    await expect(counter.call(method)).rejects.toThrow(`actor method not found: actors/Counter/a/method/${method}`);
  }
  await runtime.close();
});

it("calls timers back when the clock says so, until they are deleted", async () => {
  const clock = new VirtualClock();
  const runtime = await counters({ clock });
  const counter = runtime.actor("Counter", "a");
  await counter.call("startTicking");
  clock.advance(4_999);
  await counter.call("add", 1);
  expect(seen).toEqual(["activated a"]);
  clock.advance(1);
  await until("the first tick", () => seen.length === 2);
  clock.advance(10_000);
  await until("the second tick", () => seen.length === 3);
  expect(seen.slice(1)).toEqual(['tick {"n":1}', 'tick {"n":1}']);
  await counter.call("stopTicking");
  clock.advance(60_000);
  await counter.call("add", 1);
  expect(seen).toHaveLength(3);
  await runtime.close();
  expect(clock.pendingTimers).toBe(0);
});

it("fires reminders in virtual time, also for actors that are not active any more", async () => {
  const clock = new VirtualClock();
  const runtime = await counters({ clock, actorConfig: { actorIdleTimeout: "10s" } });
  await runtime.actor("Counter", "a").call("remind", "1h");
  clock.advance(11_000);
  await until("the actor is idle", () => seen.includes("deactivated a"));
  clock.advance(3_588_000);
  await new Promise((resolve) => void setImmediate(resolve));
  expect(seen).toEqual(["activated a", "deactivated a"]);
  clock.advance(1_000);
  await until("the reminder", () => seen.length === 4);
  expect(seen.slice(2)).toEqual(["activated a", 'reminder wake of a: "up"']);
  await runtime.close();
  expect(clock.pendingTimers).toBe(0);
});

it("answers calls after a leap of the clock, however long", async () => {
  const clock = new VirtualClock();
  const runtime = await counters({ clock });
  const counter = runtime.actor("Counter", "a");
  for (const [leapMs, count] of [
    [5_000, 1],
    [86_400_000, 2],
    [1_000, 3],
  ] as const) {
    clock.advance(leapMs);
    expect(await counter.call("add", 1)).toBe(count);
  }
  await runtime.close();
  expect(clock.pendingTimers).toBe(0);
});

it("lets calls of a turn back into it, where the type is reentrant", async () => {
  const runtime = await counters({ actorConfig: { reentrancy: { enabled: true, maxStackDepth: 3 } } });
  const counter = runtime.actor("Counter", "a");
  // The actor calls itself.
  expect(await counter.call("addToOther", { id: "a", by: 2 })).toBe(2);
  expect(await counter.call("add", 1)).toBe(3);
  await runtime.close();
});

it("distributes actors among the runtimes of a scope, and moves them when one leaves", async () => {
  const shared = createSharedScope();
  const [one, two, caller] = [
    await counters({ shared }),
    await counters({ shared }),
    await createRuntime({ appId: "web", resourcesPaths: [resources], shared }),
  ];
  const ids = Array.from({ length: 40 }, (_, index) => `actor-${index}`);
  const add = (): Promise<number[]> => Promise.all(ids.map((id) => caller.actor("Counter", id).call<number>("add", 1)));
  expect(new Set(await add())).toEqual(new Set([1]));
  const shares = [one, two].map((runtime) => runtime.actors.status().active[0]?.count ?? 0);
  expect(shares.reduce((sum, share) => sum + share, 0)).toBe(40);
  expect(Math.min(...shares)).toBeGreaterThan(0);
  await one.close();
  expect((await add()).filter((count) => count !== 1 && count !== 2)).toEqual([]);
  expect(two.actors.status().active).toEqual([{ type: "Counter", count: 40 }]);
  await Promise.all([two.close(), caller.close()]);
});

it("keeps reminders in the folder that is given, from one set of runtimes to the next", async () => {
  const clock = new VirtualClock();
  const jobsFolder = join(resources, "jobs");
  const first = await counters({ clock, jobsFolder });
  await first.actor("Counter", "a").call("remind", "1h");
  await first.close();
  expect(clock.pendingTimers).toBe(0);
  clock.advance(7_200_000);
  const second = await counters({ clock, jobsFolder });
  await until("the reminder", () => seen.includes('reminder wake of a: "up"'), clock);
  await second.close();
  expect(clock.pendingTimers).toBe(0);
});

it("says that the folder of jobs belongs to the scope", async () => {
  const shared = createSharedScope();
  const first = await counters({ shared });
  await expect(counters({ shared, jobsFolder: resources })).rejects.toThrow(
    /one place, which is memory already, not .*: give the first/,
  );
  await first.close();
});

it("wants a store for the actors' state", async () => {
  await expect(createRuntime({ appId: "shop", actors: { Counter } })).rejects.toThrow(
    'the actors Counter need one state store among the resources whose metadata say actorStateStore: "true", not 0',
  );
});

it("leaves the actors of an app function to its routes, and gives it its jobs", async () => {
  const clock = new VirtualClock();
  const app = (exchange: HttpExchange): void => {
    seen.push(`${exchange.method} ${exchange.target}`);
    const body = exchange.target === "/dapr/config" ? '{"entities":["Greeter"]}' : '"hello"';
    exchange.respond(200, ["content-type", "application/json"], body);
  };
  seen.length = 0;
  const runtime = await createRuntime({ appId: "shop", resourcesPaths: [resources], app, clock });
  expect(await runtime.actor("Greeter", "a").call("greet")).toBe("hello");
  await runtime.jobs.schedule({ job: { name: "report", dueTime: "1m" }, overwrite: false });
  expect((await runtime.jobs.get("report")).dueTime).toBe("1m");
  clock.advance(60_000);
  await until("the job", () => seen.includes("POST /job/report"));
  expect(seen).toContain("PUT /actors/Greeter/a/method/greet");
  await runtime.close();
  expect(seen.at(-1)).toBe("DELETE /actors/Greeter/a");
  expect(clock.pendingTimers).toBe(0);
});
