import { describe, expect, it } from "vitest";
import { Cancellation } from "../../kit/cancel-signal.ts";
import { nextTurn } from "../../kit/turn.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { PlacementHost } from "../../mesh/placement-stream.ts";
import { DRAIN_MS_DEFAULT, LAST_ANSWERS_MS, OWNER_WAIT_MS_MAX, WAITING_CALLS_MAX } from "./limits.ts";
import {
  ActorLimitError,
  type Claim,
  DrainedError,
  OwnershipGate,
  OwnerUnknownError,
  OwnershipLostError,
} from "./ownership-gate.ts";
import { PlacementMap } from "./placement-map.ts";

const ME = { address: "me:1", appId: "a" };
const OTHER = { address: "other:1", appId: "a" };

function setUp() {
  const clock = new VirtualClock();
  const map = new PlacementMap();
  const lease = { held: true, holds: () => lease.held };
  const waits: string[] = [];
  const gate = new OwnershipGate({
    ownAddress: ME.address,
    map,
    lease,
    onWaited: (type, moved) => waits.push(`${type} ${moved ? "moved" : "did not move"}`),
    clock,
  });
  const update = (...hosts: readonly PlacementHost[]): void => {
    map.update({ types: new Map([["t", hosts]]), replicationFactor: 100 });
    gate.open();
  };
  const agree = (): void => {
    map.agree();
    gate.agreed();
  };
  const agreeOn = (...hosts: readonly PlacementHost[]): void => {
    update(...hosts);
    agree();
  };
  const claim = (id: string, signal?: Cancellation): Claim | Promise<Claim> => gate.claim({ type: "t", id }, signal);
  const actors = Array.from({ length: 50 }, (_, id) => String(id));
  /** By the tables as they are now. */
  const ownedBy = ({ address }: PlacementHost): string[] =>
    actors.filter((id) => map.ownerOf("t", id)?.address === address);
  return { clock, map, lease, waits, gate, update, agree, agreeOn, claim, ownedBy };
}

function granted(claim: Claim | Promise<Claim>): Claim {
  if (claim instanceof Promise) {
    throw new Error("the claim waits");
  }
  return claim;
}

describe("calls", () => {
  it("wait for the first tables, and until all have them", async () => {
    const { update, agree, claim, waits } = setUp();
    const early = claim("1");
    update(ME);
    const late = claim("1");
    expect([early, late].every((one) => one instanceof Promise)).toBe(true);
    agree();
    expect([(await early).owner, (await late).owner]).toEqual([ME, ME]);
    expect(waits).toEqual(["t moved"]);
  });

  it("of actors that move wait until all agree, and all others go through", async () => {
    const { update, agree, agreeOn, claim, ownedBy, waits } = setUp();
    agreeOn(ME);
    update(ME, OTHER);
    const [moved, stays] = [ownedBy(OTHER), ownedBy(ME)];
    const claims = moved.map((id) => claim(id));
    expect(claims.every((one) => one instanceof Promise)).toBe(true);
    const waiting = claims.map((one) => Promise.resolve(one));
    expect(stays.map((id) => granted(claim(id)).owner)).toEqual(stays.map(() => ME));
    agree();
    expect((await Promise.all(waiting)).map(({ owner }) => owner)).toEqual(moved.map(() => OTHER));
    expect(waits).toEqual(moved.map(() => "t moved"));
  });

  it("find nobody for a type that is not hosted", () => {
    const { gate, agreeOn } = setUp();
    agreeOn(ME);
    expect(granted(gate.claim({ type: "u", id: "1" }, undefined)).owner).toBeUndefined();
  });

  it("of own actors wait while this sidecar may not act for them, and those of others do not", async () => {
    const { gate, lease, agree, agreeOn, claim, ownedBy, waits } = setUp();
    agreeOn(ME, OTHER);
    const [own, others] = [ownedBy(ME)[0] ?? "", ownedBy(OTHER)[0] ?? ""];
    lease.held = false;
    const first = claim(own);
    expect([first instanceof Promise, granted(claim(others)).owner]).toEqual([true, OTHER]);
    gate.disown();
    lease.held = true;
    const second = claim(own);
    expect(second).toBeInstanceOf(Promise);
    agree();
    expect([(await first).owner, (await second).owner]).toEqual([ME, ME]);
    expect(waits).toEqual(["t moved", "t moved"]);
  });

  it("of own actors go on when the lease was renewed late, before anything was given up for it", async () => {
    const { gate, lease, agreeOn, claim } = setUp();
    agreeOn(ME);
    lease.held = false;
    const waiting = claim("1");
    expect(waiting).toBeInstanceOf(Promise);
    lease.held = true;
    gate.leased();
    expect((await waiting).owner).toEqual(ME);
  });

  it("wait for tables when there is no service that says what is true, which is told from moving", async () => {
    const { gate, agree, agreeOn, claim, waits } = setUp();
    agreeOn(OTHER);
    gate.close();
    const waiting = claim("1");
    expect(waiting).toBeInstanceOf(Promise);
    agree();
    await waiting;
    expect(waits).toEqual(["t did not move"]);
  });

  it("give up waiting when they are cancelled, after a time, and at the end", async () => {
    const { gate, clock, claim } = setUp();
    const cancellation = new Cancellation();
    const [cancelled, late] = [claim("1", cancellation), claim("2")];
    cancellation.abort(new Error("context canceled"));
    await expect(cancelled).rejects.toThrow("context canceled");
    clock.advance(OWNER_WAIT_MS_MAX);
    await expect(late).rejects.toBeInstanceOf(OwnerUnknownError);
    const last = claim("3");
    gate.end(new Error("closed"));
    await expect(last).rejects.toThrow("closed");
    expect(() => claim("4")).toThrow("closed");
    expect(clock.pendingTimers).toBe(0);
  });

  it("are refused when too many wait", async () => {
    const { gate, claim } = setUp();
    const waiting = Array.from({ length: WAITING_CALLS_MAX }, (_, id) => Promise.resolve(claim(String(id))));
    expect(() => claim("one more")).toThrow(ActorLimitError);
    gate.end(new Error("closed"));
    expect((await Promise.allSettled(waiting)).every(({ status }) => status === "rejected")).toBe(true);
  });
});

describe("a drain", () => {
  function rule(enabled = true) {
    const late: string[] = [];
    const deactivated: string[] = [];
    return {
      enabled,
      timeoutMs: () => 2_000,
      onTimeout: (type: string) => void late.push(type),
      deactivate: ({ id }: { readonly id: string }) => void deactivated.push(id),
      late,
      deactivated,
    };
  }

  it("waits for calls under way of own actors that move, and touches no others", async () => {
    const { gate, update, agreeOn, claim, ownedBy } = setUp();
    agreeOn(ME);
    const claims = new Map(ownedBy(ME).map((id) => [id, granted(claim(id))]));
    update(ME, OTHER);
    const drain = rule();
    const drained = gate.drain(drain, false);
    for (const id of ownedBy(OTHER)) {
      claims.get(id)?.release();
    }
    await drained;
    expect([drain.late, [...claims.values()].some(({ aborted }) => aborted)]).toEqual([[], false]);
  });

  it("cuts off those that take too long", async () => {
    const { gate, clock, update, agreeOn, claim } = setUp();
    agreeOn(ME);
    const moves = granted(claim("1"));
    update(OTHER);
    const drain = rule();
    const drained = gate.drain(drain, false);
    clock.advance(2_000);
    await drained;
    expect([drain.late, moves.reason]).toEqual([["t"], expect.any(DrainedError)]);
  });

  it("ends the activation of a turn that it cuts off at once, while it waits for others", async () => {
    const { gate, clock, update, agreeOn, claim } = setUp();
    agreeOn(ME);
    const [turn, waiting] = [granted(claim("1")), granted(claim("2"))];
    turn.begun = true;
    update(OTHER);
    const drain = rule();
    const timeoutsMs = [2_000, 2_500];
    const drained = gate.drain({ ...drain, timeoutMs: () => timeoutsMs.shift() ?? 0 }, false);
    clock.advance(2_000);
    await nextTurn();
    expect([drain.deactivated, waiting.aborted]).toEqual([[turn.id], false]);
    clock.advance(500);
    await drained;
    expect([drain.deactivated, waiting.aborted]).toEqual([[turn.id], true]);
  });

  it("cuts off at once when the app does not want to wait", async () => {
    const { gate, update, agreeOn, claim } = setUp();
    agreeOn(ME);
    const moves = granted(claim("1"));
    update(OTHER);
    const drain = rule(false);
    await gate.drain(drain, false);
    expect([drain.late, moves.aborted]).toEqual([[], true]);
  });

  it.each([true, false])(
    "does not wait for long turns of actors that stay, but ends them as Dapr does",
    async (enabled) => {
      const { gate, clock, update, agree, agreeOn, claim, ownedBy } = setUp();
      agreeOn(ME);
      const claims = new Map(ownedBy(ME).map((id) => [id, granted(claim(id))]));
      update(ME, OTHER);
      for (const id of ownedBy(OTHER)) {
        claims.get(id)?.release();
      }
      const [turn, waiting] = ownedBy(ME).map((id) => claims.get(id)) as [Claim, Claim];
      turn.begun = true;
      const drain = rule(enabled);
      await gate.drain(drain, false);
      agree();
      clock.advance(DRAIN_MS_DEFAULT - 1);
      await nextTurn();
      expect(turn.aborted).toBe(false);
      clock.advance(1);
      await nextTurn();
      expect([turn.reason, waiting.aborted, drain.deactivated]).toEqual([expect.any(DrainedError), false, [turn.id]]);
    },
  );

  it("of everything waits for own actors that do not move, too", async () => {
    const { gate, agreeOn, claim } = setUp();
    agreeOn(ME);
    const stays = granted(claim("1"));
    const drain = rule();
    const drained = gate.drain(drain, true);
    stays.release();
    await drained;
    expect([drain.late, stays.aborted]).toEqual([[], false]);
  });
});

it("cuts off own actors when they are given up, and calls to owners that are lost", async () => {
  const { gate, clock, agreeOn, claim, ownedBy } = setUp();
  agreeOn(ME, OTHER);
  const [own, others] = [granted(claim(ownedBy(ME)[0] ?? "")), granted(claim(ownedBy(OTHER)[0] ?? ""))];
  gate.cutOff(() => undefined);
  expect([own.aborted, others.aborted]).toEqual([false, false]);
  gate.cutOff(({ address }) => new Error(`${address} is lost`));
  expect(others.aborted).toBe(false);
  clock.advance(LAST_ANSWERS_MS);
  await nextTurn();
  expect([own.aborted, others.reason.message]).toEqual([false, "other:1 is lost"]);
  gate.disown();
  expect(own.reason).toBeInstanceOf(OwnershipLostError);
});

it("hears no caller of a claim that has been given back", () => {
  const { agreeOn, claim } = setUp();
  agreeOn(ME);
  const cancellation = new Cancellation();
  const [kept, released] = [granted(claim("1", cancellation)), granted(claim("2", cancellation))];
  released.release();
  released.release();
  cancellation.abort(new Error("context canceled"));
  expect([kept.reason.message, released.aborted]).toEqual(["context canceled", false]);
});
