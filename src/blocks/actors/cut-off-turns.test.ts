import { describe, expect, it } from "vitest";
import type { ActorHost, ActorRef } from "../../app/actor-host.ts";
import { AppUnreachableError } from "../../app/app-unreachable-error.ts";
import { Cancellation } from "../../kit/cancel-signal.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { nextTurn } from "../../kit/turn.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { ActiveActors } from "./active-actors.ts";
import {
  CUT_OFF_ANSWER_MS,
  CUT_OFF_NOTICE_MS,
  CUT_OFF_REST_MS,
  HANG_UP_ANSWER_MS,
  MAILBOX_LENGTH_MAX,
} from "./limits.ts";
import { Claim, OwnershipLostError } from "./ownership-gate.ts";

const A = { type: "t", id: "a" };
const ignored = (): undefined => undefined;
const claimOf = (ref: ActorRef): Claim => new Claim(ref, undefined, undefined, new Set());

/** An actor whose app has a call that it has not answered. */
async function setUp(knowsEnds = false, caller?: Cancellation) {
  const clock = new VirtualClock();
  const active = new ActiveActors({ clock, logger: silentLogger });
  const told: string[] = [];
  const unused = (): Promise<never> => Promise.reject(new Error("not called"));
  const host: ActorHost = {
    knowsEnds,
    invoke: unused,
    fire: unused,
    deactivate: async () => void told.push("deactivated"),
  };
  const settings = { idleMs: 1_000_000, reentrancy: { enabled: false, stackDepthMax: 32 }, drainMs: undefined };
  active.register({ types: new Map([["t", settings]]), drainMs: 0, drainRebalanced: true, host });
  const { actor } = await active.activate(A);
  const answer = Promise.withResolvers<string>();
  const claim = new Claim(A, undefined, caller, new Set());
  claim.addEventListener("abort", () => told.push("aborted"));
  const call = actor.run(undefined, claim, ignored, () => {
    claim.work = answer.promise;
    return answer.promise;
  });
  call.catch(ignored);
  await nextTurn();
  const again = { done: false };
  const activateAgain = (): void => void active.activate(A).then(() => (again.done = true));
  return { active, actor, clock, told, answer, claim, call, again, activateAgain };
}

describe("a call that is cut off", () => {
  it("fails at once, and nobody who takes the actor away waits for the app", async () => {
    const { active, call, told } = await setUp();
    await active.halt(() => false);
    await expect(call).rejects.toEqual(new OwnershipLostError("actor t||a was deactivated during the call"));
    expect(told).toEqual([]);
  });

  it("is answered by the app before the actor is deactivated and activated in it again", async () => {
    const { active, told, answer, again, activateAgain } = await setUp();
    await active.halt(() => false);
    activateAgain();
    await nextTurn();
    expect([again.done, active.isActive(A), told]).toEqual([false, false, []]);
    answer.resolve("done");
    await nextTurn();
    expect([again.done, told]).toEqual([true, ["deactivated"]]);
  });

  it("is aborted when the app does not answer, and the actor is not activated in it for a while", async () => {
    const { active, clock, told, answer, again, activateAgain } = await setUp();
    await active.halt(() => false);
    activateAgain();
    clock.advance(CUT_OFF_ANSWER_MS);
    await nextTurn();
    expect(told).toEqual(["aborted"]);
    answer.reject(new AppUnreachableError("its connection is closed", { aborted: true }));
    clock.advance(CUT_OFF_NOTICE_MS);
    await nextTurn();
    expect(told).toEqual(["aborted", "deactivated"]);
    clock.advance(CUT_OFF_REST_MS - 1);
    await nextTurn();
    expect(again.done).toBe(false);
    clock.advance(1);
    await nextTurn();
    expect(again.done).toBe(true);
    // What the turn has done since is in the app's memory, too.
    expect(told).toEqual(["aborted", "deactivated", "deactivated"]);
  });

  it("that the app answers though it was aborted is over then", async () => {
    const { active, clock, told, answer, again, activateAgain } = await setUp();
    await active.halt(() => false);
    activateAgain();
    clock.advance(CUT_OFF_ANSWER_MS);
    await nextTurn();
    answer.resolve("done");
    await nextTurn();
    expect([again.done, told]).toEqual([false, ["aborted"]]);
    clock.advance(CUT_OFF_NOTICE_MS);
    await nextTurn();
    expect([again.done, told]).toEqual([true, ["aborted", "deactivated"]]);
  });

  it("is waited for longer where it is known when the app has ended it, and not aborted before", async () => {
    const { active, clock, told, answer, again, activateAgain } = await setUp(true);
    await active.halt(() => false);
    activateAgain();
    clock.advance(CUT_OFF_ANSWER_MS);
    await nextTurn();
    expect([again.done, told]).toEqual([false, ["deactivated"]]);
    answer.reject(new Error("no"));
    await nextTurn();
    expect(again.done).toBe(true);
    expect(clock.pendingTimers).toBe(1);
  });

  it("is not waited for when the sidecar stops", async () => {
    const { active, clock, again, activateAgain } = await setUp();
    await active.halt(() => false);
    clock.advance(CUT_OFF_ANSWER_MS);
    await nextTurn();
    clock.advance(CUT_OFF_NOTICE_MS);
    await nextTurn();
    expect(clock.pendingTimers).toBe(1);
    active.close();
    expect(clock.pendingTimers).toBe(0);
    activateAgain();
    await nextTurn();
    expect(again.done).toBe(true);
  });

  it("is one that lost its claim before the actor was deactivated, too", async () => {
    const { active, claim, call, again, activateAgain } = await setUp();
    claim.lose(new OwnershipLostError("moved"));
    await expect(call).rejects.toThrow("moved");
    await active.halt(() => false);
    activateAgain();
    await nextTurn();
    expect(again.done).toBe(false);
  });

  it("keeps only so many waiting for the actor, none of whom has to stay", async () => {
    const { active } = await setUp();
    await active.halt(() => false);
    const gone = new Cancellation();
    const waiting = active.activate(A, gone);
    for (let count = 1; count < MAILBOX_LENGTH_MAX; count += 1) {
      active.activate(A).catch(ignored);
    }
    await expect(active.activate(A)).rejects.toThrow("10000 calls wait already for the actor t||a");
    gone.abort(new Error("context canceled"));
    await expect(waiting).rejects.toThrow("context canceled");
    await expect(active.activate(A, gone)).rejects.toThrow("context canceled");
  });
});

describe("a call whose caller hangs up", () => {
  const hungUp = async () => {
    const caller = new Cancellation();
    const parts = await setUp(false, caller);
    caller.abort(new Error("context canceled"));
    await expect(parts.call).rejects.toThrow("context canceled");
    const next = { begun: false };
    const turn = parts.actor.run(undefined, claimOf(A), ignored, async () => void (next.begun = true));
    turn.catch(ignored);
    await nextTurn();
    expect([parts.told, next.begun]).toEqual([[], false]);
    return { ...parts, next, turn };
  };

  it("keeps its turn until the app has answered, which hears nothing of it", async () => {
    const { active, answer, next, told } = await hungUp();
    answer.resolve("done");
    await nextTurn();
    expect([next.begun, told, active.isActive(A)]).toEqual([true, [], true]);
  });

  it("ends the activation when the app does not, so that it writes no state any more", async () => {
    const { active, clock, next, turn, told } = await hungUp();
    clock.advance(HANG_UP_ANSWER_MS);
    await nextTurn();
    await expect(turn).rejects.toThrow("actor t||a is closed");
    expect([next.begun, active.isActive(A)]).toEqual([false, false]);
    clock.advance(CUT_OFF_ANSWER_MS);
    await nextTurn();
    expect(told).toEqual(["aborted"]);
  });

  it("is cut off like others when the actor is taken away meanwhile", async () => {
    const { active, answer, again, activateAgain } = await hungUp();
    await active.halt(() => false);
    activateAgain();
    await nextTurn();
    expect(again.done).toBe(false);
    answer.resolve("done");
    await nextTurn();
    expect(again.done).toBe(true);
  });
});
