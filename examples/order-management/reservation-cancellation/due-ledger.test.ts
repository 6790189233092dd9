import { expect, it } from "vitest";
import { DUE_INDEX_KEY, dueKey } from "../model/names.ts";
import { MemoryStore } from "../store/memory-store.fixture.ts";
import { DueLedger, dueSecond } from "./due-ledger.ts";
import { Sweeper } from "./sweeper.ts";

it("is due at the beginning of the second after", () => {
  expect([1000, 1001, 1999, 2000].map((expiresAt) => dueSecond(expiresAt))).toEqual([1, 2, 2, 2]);
});

it("keeps reservations in buckets of a second, with an index", async () => {
  const store = new MemoryStore();
  const ledger = new DueLedger(store);
  await Promise.all(
    [
      { reservationId: "c", expiresAt: 5500 },
      { reservationId: "a", expiresAt: 2900 },
      { reservationId: "b", expiresAt: 2100 },
      { reservationId: "a", expiresAt: 2900 },
    ].map(async (reservation) => await ledger.remember(reservation)),
  );
  expect(store.value(DUE_INDEX_KEY)).toEqual({ seconds: [3, 6] });
  expect(store.value(dueKey(3))).toEqual({ ids: ["a", "b"] });
  expect(await ledger.secondsUntil(2999)).toEqual([]);
  expect(await ledger.secondsUntil(3000)).toEqual([3]);
  expect(await ledger.secondsUntil(9000)).toEqual([3, 6]);

  await ledger.forget(3, ["a"]);
  expect(await ledger.idsOf(3)).toEqual(["b"]);
  await ledger.forget(3, ["b"]);
  expect(store.records.has(dueKey(3))).toBe(false);
  expect(store.value(DUE_INDEX_KEY)).toEqual({ seconds: [6] });
  await ledger.forget(3, ["b"]);
  expect(await ledger.secondsUntil(9000)).toEqual([6]);
});

it("tells those whose reservation could not be kept, and goes on", async () => {
  let broken = true;
  const store = new (class extends MemoryStore {
    override async write(...args: Parameters<MemoryStore["write"]>): Promise<void> {
      if (broken) throw new Error("disk full");
      await super.write(...args);
    }
  })();
  const ledger = new DueLedger(store);
  await expect(ledger.remember({ reservationId: "a", expiresAt: 1000 })).rejects.toThrow("disk full");
  broken = false;
  await ledger.remember({ reservationId: "b", expiresAt: 1000 });
  expect(await ledger.idsOf(1)).toEqual(["b"]);
});

it("sweeps the oldest first, and keeps a bucket until all of it is released", async () => {
  const ledger = new DueLedger(new MemoryStore());
  for (const [reservationId, expiresAt] of [
    ["a", 1000],
    ["b", 1000],
    ["c", 2000],
    ["d", 9000],
  ] as const) {
    await ledger.remember({ reservationId, expiresAt });
  }
  let away = true;
  const released: string[] = [];
  const release = async (id: string): Promise<void> => {
    if (away && id === "b") throw new Error("stock is away");
    released.push(id);
    await Promise.resolve();
  };
  const sweeper = new Sweeper({ ledger, release, now: () => 5000 });
  await expect(sweeper.sweep()).rejects.toThrow("stock is away");
  expect(await ledger.secondsUntil(5000)).toEqual([1, 2]);
  away = false;
  await sweeper.sweep();
  expect(released).toEqual(["a", "a", "b", "c"]);
  expect(await ledger.secondsUntil(9000)).toEqual([9]);
});

it("sweeps once at a time", async () => {
  const ledger = new DueLedger(new MemoryStore());
  await ledger.remember({ reservationId: "a", expiresAt: 1000 });
  const gate = Promise.withResolvers<void>();
  let releases = 0;
  const release = async (): Promise<void> => {
    releases++;
    await gate.promise;
  };
  const sweeper = new Sweeper({ ledger, release, now: () => 5000 });
  const first = sweeper.sweep();
  await sweeper.sweep();
  gate.resolve();
  await first;
  expect(releases).toBe(1);
});
