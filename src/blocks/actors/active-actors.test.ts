import { describe, expect, it } from "vitest";
import { type ActorHost, DEACTIVATION_LOST, DeactivationError } from "../../app/actor-host.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { nextTurn } from "../../kit/turn.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { ActiveActors, NotHostedError } from "./active-actors.ts";
import { CUT_OFF_REST_MS, DEACTIVATION_REPEATS_MS, DEACTIVATION_WAIT_MS } from "./limits.ts";
import { Claim } from "./ownership-gate.ts";

const A = { type: "t", id: "a" };
const ignored = (): undefined => undefined;

function setUp(deactivate: ActorHost["deactivate"] = () => Promise.resolve(), countMax?: number) {
  const clock = new VirtualClock();
  const limit = countMax === undefined ? {} : { countMax };
  const active = new ActiveActors({ clock, logger: silentLogger, ...limit });
  const deactivated: string[] = [];
  const unused = (): Promise<never> => Promise.reject(new Error("not called"));
  const host: ActorHost = {
    invoke: unused,
    fire: unused,
    deactivate(type, id) {
      deactivated.push(id);
      return deactivate(type, id);
    },
  };
  const settings = { idleMs: 1_000, reentrancy: { enabled: false, stackDepthMax: 32 }, drainMs: undefined };
  active.register({ types: new Map([["t", settings]]), drainMs: 0, drainRebalanced: true, host });
  return { active, clock, deactivated };
}

describe("an actor", () => {
  it("is deactivated when it has been idle, counted from its last turn", async () => {
    const { active, clock, deactivated } = setUp();
    await active.activate(A);
    clock.advance(900);
    await active.activate(A);
    clock.advance(900);
    expect(active.isActive(A)).toBe(true);
    clock.advance(100);
    expect([active.isActive(A), deactivated]).toEqual([false, ["a"]]);
  });

  it("is not idle while a turn runs", async () => {
    const { active, clock, deactivated } = setUp();
    const { actor } = await active.activate(A);
    const work = Promise.withResolvers<void>();
    const run = actor.run(undefined, new Claim(A, undefined, undefined, new Set()), ignored, () => work.promise);
    clock.advance(10_000);
    expect(deactivated).toEqual([]);
    work.resolve();
    await run;
    clock.advance(2_000);
    expect(deactivated).toEqual(["a"]);
  });

  it("is activated again when the app has answered its deactivation", async () => {
    const answer = Promise.withResolvers<void>();
    const { active } = setUp(() => answer.promise);
    await active.activate(A);
    void active.halt(() => false);
    let again = false;
    void active.activate(A).then(() => (again = true));
    await nextTurn();
    expect(again).toBe(false);
    answer.resolve();
    await nextTurn();
    expect(again).toBe(true);
  });

  it("does not wait for that for ever", async () => {
    const { active, clock } = setUp(() => new Promise(ignored));
    await active.activate(A);
    const halted = active.halt(() => false);
    clock.advance(DEACTIVATION_WAIT_MS);
    await halted;
    let again = false;
    void active.activate(A).then(() => (again = true));
    await nextTurn();
    expect(again).toBe(false);
    clock.advance(CUT_OFF_REST_MS);
    await nextTurn();
    expect(again).toBe(true);
  });

  it("is gone when the app refuses to deactivate it, too", async () => {
    const { active } = setUp(() => Promise.reject(new DeactivationError("no", "status_code_500")));
    await active.activate(A);
    await active.halt(() => false);
    expect(active.counts()).toEqual([{ type: "t", count: 0 }]);
  });

  it("is not activated before its deactivation has reached the app, which is tried again", async () => {
    const answers = [new DeactivationError("the connection was closed", DEACTIVATION_LOST), undefined];
    const { active, clock, deactivated } = setUp(async () => {
      const error = answers.shift();
      if (error !== undefined) {
        throw error;
      }
    });
    await active.activate(A);
    void active.halt(() => false);
    let again = false;
    void active.activate(A).then(() => (again = true));
    await nextTurn();
    expect([deactivated, again]).toEqual([["a"], false]);
    clock.advance(DEACTIVATION_REPEATS_MS[0] ?? 0);
    await nextTurn();
    expect([deactivated, again]).toEqual([["a", "a"], true]);
  });

  it("is given up when the app cannot be reached at all", async () => {
    const { active, clock, deactivated } = setUp(() => Promise.reject(new DeactivationError("no", DEACTIVATION_LOST)));
    await active.activate(A);
    const halted = active.halt(() => false);
    for (const delayMs of DEACTIVATION_REPEATS_MS) {
      await nextTurn();
      clock.advance(delayMs);
    }
    await halted;
    expect(deactivated).toHaveLength(DEACTIVATION_REPEATS_MS.length + 1);
    expect(active.counts()).toEqual([{ type: "t", count: 0 }]);
  });

  it.each([
    ["that is tried again", () => Promise.reject(new DeactivationError("gone", DEACTIVATION_LOST))],
    ["that the app does not answer", () => new Promise<void>(ignored)],
  ])("has no timers left when it is closed during a deactivation %s", async (_, deactivate) => {
    const { active, clock } = setUp(deactivate);
    await active.activate(A);
    const halted = active.unregister();
    await nextTurn();
    expect(clock.pendingTimers).toBeGreaterThan(0);
    active.close();
    await halted;
    await nextTurn();
    expect(clock.pendingTimers).toBe(0);
  });

  it("does not begin a turn that its deactivation has overtaken", async () => {
    const { active } = setUp();
    const { actor } = await active.activate(A);
    let worked = false;
    const turn = (work: () => Promise<void>): Promise<void> =>
      actor.run(undefined, new Claim(A, undefined, undefined, new Set()), ignored, work);
    void turn(() => new Promise<never>(() => undefined)).catch(() => undefined);
    const run = turn(async () => void (worked = true));
    void active.halt(() => false);
    await expect(run).rejects.toThrow("actor t||a is closed");
    expect(worked).toBe(false);
  });
});

it("so many actors may be active, and one more when one of them is idle", async () => {
  const { active, clock } = setUp(undefined, 2);
  await active.activate(A);
  await active.activate({ type: "t", id: "b" });
  await active.activate(A);
  await expect(active.activate({ type: "t", id: "c" })).rejects.toThrow(
    "2 actors are active in this sidecar, which is the limit; shorten actorIdleTimeout or add replicas",
  );
  clock.advance(1_000);
  await active.activate({ type: "t", id: "c" });
});

it("an actor's id has a length", async () => {
  const { active } = setUp();
  await expect(active.activate({ type: "t", id: "a".repeat(1_025) })).rejects.toThrow(
    "actor id has 1025 characters, and 1024 is the limit",
  );
});

it("types that are not hosted have no actors, and none are without a state store", async () => {
  const { active } = setUp();
  await expect(active.activate({ type: "u", id: "a" })).rejects.toThrow(NotHostedError);
  active.suspended = true;
  expect([active.types, active.isHosted("t")]).toEqual([[], false]);
  await expect(active.activate(A)).rejects.toThrow("no actor state store configured");
});
