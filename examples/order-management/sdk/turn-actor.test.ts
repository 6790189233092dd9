import { ActorId, DaprClient } from "@dapr/dapr";
import { afterEach, expect, it, vi } from "vitest";
import { z } from "zod";
import { TurnActor } from "./turn-actor.ts";

afterEach(() => void vi.restoreAllMocks());

/** A store of one actor that can be away. */
class Store {
  readonly records = new Map<string, unknown>();
  isAway = false;

  async tryLoadState(_type: string, _id: ActorId, name: string): Promise<[boolean, unknown]> {
    return await Promise.resolve([this.records.has(name), this.records.get(name)]);
  }

  async containsState(_type: string, _id: ActorId, name: string): Promise<boolean> {
    return await Promise.resolve(this.records.has(name));
  }

  async saveState(
    _type: string,
    _id: ActorId,
    changes: { getStateName(): string; getValue(): unknown }[],
  ): Promise<void> {
    if (this.isAway) throw new Error("the store is away");
    for (const change of changes) this.records.set(change.getStateName(), change.getValue());
    await Promise.resolve();
  }
}

const countSchema = z.object({ count: z.int() });

class Counter extends TurnActor {
  readonly store = new Store();

  override getStateProvider(): never {
    return this.store as never;
  }

  async add(request: unknown): Promise<number> {
    return await this.turn("add", z.int(), request, async (units) => {
      const count = ((await this.read("count", countSchema))?.count ?? 0) + units;
      await this.write({ count: { count } });
      return count;
    });
  }

  protected override async carryOn(): Promise<void> {
    await this.add(1);
  }
}

function counter(): Counter {
  return new Counter(new DaprClient(), new ActorId("c1"));
}

it("keeps what a turn has written", async () => {
  const actor = counter();
  expect([await actor.add(2), await actor.add(3)]).toEqual([2, 5]);
  expect(actor.store.records.get("count")).toEqual({ count: 5 });
});

it("keeps nothing of a turn that failed, and says why", async () => {
  const complaints = vi.spyOn(console, "error").mockReturnValue();
  const actor = counter();
  await actor.add(2);
  actor.store.isAway = true;
  await expect(actor.add(3)).rejects.toThrow("the store is away");
  expect(complaints).toHaveBeenCalledWith("Counter c1: add failed: the store is away");
  actor.store.isAway = false;
  expect(await actor.add(1)).toBe(3);
});

it("runs one turn after the other, also where two are let in", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  const actor = counter();
  const turns = [actor.add(2), actor.add("two"), actor.add(3)];
  expect((await Promise.allSettled(turns)).map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(actor.store.records.get("count")).toEqual({ count: 5 });
});

it("runs no turn for a request of another shape", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  const actor = counter();
  await expect(actor.add("two")).rejects.toThrow("expected number");
  expect(actor.store.records.size).toBe(0);
});

it("has a reminder that fails come again, instead of ending the process", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  const actor = counter();
  actor.store.isAway = true;
  await expect(actor.receiveReminder()).resolves.toBeUndefined();
});
