import { describe, expect, it } from "vitest";
import { Cancellation } from "../../kit/cancel-signal.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { type Claim, OwnershipGate, OwnershipLostError } from "./ownership-gate.ts";

const DRAIN = { enabled: true, timeoutMs: () => 2_000 };

function granted(claim: Claim | Promise<Claim>): Claim {
  if (claim instanceof Promise) {
    throw new Error("the claim waits");
  }
  return claim;
}

describe("calls", () => {
  it("wait for the first tables", async () => {
    const gate = new OwnershipGate(new VirtualClock());
    const claim = gate.claim("t", undefined);
    expect(claim).toBeInstanceOf(Promise);
    gate.open();
    (await claim).release();
  });

  it("wait while their type changes, and others do not", async () => {
    const gate = new OwnershipGate(new VirtualClock());
    gate.open();
    gate.block(["moves"]);
    granted(gate.claim("stays", undefined)).release();
    const waiting = gate.claim("moves", undefined);
    expect(waiting).toBeInstanceOf(Promise);
    gate.unblock(["moves"]);
    (await waiting).release();
  });

  it("give up waiting when they are cancelled", async () => {
    const gate = new OwnershipGate(new VirtualClock());
    const cancellation = new Cancellation();
    const waiting = gate.claim("t", cancellation);
    cancellation.abort(new Error("context canceled"));
    await expect(waiting).rejects.toThrow("context canceled");
  });
});

describe("a drain", () => {
  it("waits for calls under way, of its types alone", async () => {
    const gate = new OwnershipGate(new VirtualClock());
    gate.open();
    const claim = granted(gate.claim("moves", undefined));
    const other = granted(gate.claim("stays", undefined));
    const drained = gate.drain(["moves"], DRAIN);
    claim.release();
    expect(await drained).toEqual([]);
    expect([claim.aborted, other.aborted]).toEqual([false, false]);
  });

  it("cuts off those that take too long", async () => {
    const clock = new VirtualClock();
    const gate = new OwnershipGate(clock);
    gate.open();
    const claim = granted(gate.claim("moves", undefined));
    const drained = gate.drain(["moves"], DRAIN);
    clock.advance(2_000);
    expect(await drained).toEqual(["moves"]);
    expect(claim.reason).toBeInstanceOf(OwnershipLostError);
  });

  it("cuts off at once when the app does not want to wait", async () => {
    const gate = new OwnershipGate(new VirtualClock());
    gate.open();
    const claim = granted(gate.claim("moves", undefined));
    expect(await gate.drain(["moves"], { ...DRAIN, enabled: false })).toEqual([]);
    expect(claim.aborted).toBe(true);
  });
});
