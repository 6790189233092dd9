import { describe, expect, it } from "vitest";
import { Cancellation, NEVER_CANCELLED } from "../../kit/cancel-signal.ts";
import { MAILBOX_LENGTH_MAX } from "./limits.ts";
import { type Turn, TurnQueue } from "./turn-queue.ts";

const queue = (depthMax = 32): TurnQueue => new TurnQueue({ type: "t", id: "a" }, depthMax);

function entered(entry: Turn | Promise<Turn>): Turn {
  if (entry instanceof Promise) {
    throw new Error("the turn has not begun");
  }
  return entry;
}

describe("turns", () => {
  it("begin one after the other in the order of the calls", async () => {
    const turns = queue();
    const order: string[] = [];
    const first = entered(turns.enter(undefined, NEVER_CANCELLED));
    const rest = ["a", "b", "c"].map(async (name) => {
      const turn = await turns.enter(undefined, NEVER_CANCELLED);
      order.push(name);
      turns.leave(turn);
    });
    expect(order).toEqual([]);
    turns.leave(first);
    await Promise.all(rest);
    expect(order).toEqual(["a", "b", "c"]);
    expect(turns.isIdle).toBe(true);
  });

  it("take in calls of the same chain, and end with the last of them", async () => {
    const turns = queue();
    const outer = entered(turns.enter("chain", NEVER_CANCELLED));
    const other = turns.enter("other", NEVER_CANCELLED);
    const inner = entered(turns.enter("chain", NEVER_CANCELLED));
    expect(inner).toBe(outer);
    turns.leave(inner);
    let begun = false;
    void Promise.resolve(other).then(() => (begun = true));
    await Promise.resolve();
    expect(begun).toBe(false);
    turns.leave(outer);
    expect((await other).chain).toBe("other");
  });

  it("have a depth, and one call too many leaves the others as they were", () => {
    const turns = queue(2);
    const outer = entered(turns.enter("chain", NEVER_CANCELLED));
    void turns.enter("chain", NEVER_CANCELLED);
    expect(() => turns.enter("chain", NEVER_CANCELLED)).toThrow("maximum stack depth exceeded");
    turns.leave(outer);
    turns.leave(outer);
    expect(turns.isIdle).toBe(true);
  });

  it("are not lost when a call that waits is cancelled", async () => {
    const turns = queue();
    const first = entered(turns.enter(undefined, NEVER_CANCELLED));
    const cancellation = new Cancellation();
    const second = turns.enter(undefined, cancellation);
    const third = turns.enter(undefined, NEVER_CANCELLED);
    cancellation.abort(new Error("context canceled"));
    await expect(second).rejects.toThrow("context canceled");
    turns.leave(first);
    turns.leave(await third);
    expect(turns.isIdle).toBe(true);
  });

  it("are refused when the actor is deactivated", async () => {
    const turns = queue();
    void turns.enter(undefined, NEVER_CANCELLED);
    const waiting = turns.enter(undefined, NEVER_CANCELLED);
    turns.close(new Error("closed"));
    await expect(waiting).rejects.toThrow("closed");
    expect(() => turns.enter(undefined, NEVER_CANCELLED)).toThrow("closed");
  });

  it("wait up to a limit that is told", () => {
    const turns = queue();
    for (let call = 0; call <= MAILBOX_LENGTH_MAX; call++) {
      void turns.enter(undefined, NEVER_CANCELLED);
    }
    expect(() => turns.enter(undefined, NEVER_CANCELLED)).toThrow(
      "10000 calls wait already for the actor t||a, which is the limit",
    );
  });
});
