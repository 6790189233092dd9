import fc from "fast-check";
import { expect, it } from "vitest";
import { CrashError, CrashingStore, ScheduledStore } from "../store/scheduled-store.fixture.ts";
import { DueLedger } from "./due-ledger.ts";
import { Sweeper } from "./sweeper.ts";

const END = 10_000;
const reservation = fc.record({
  reservationId: fc.constantFrom(..."abcdefghijkl".split("")),
  expiresAt: fc.constantFrom(1000, 1000, 1500, 2000),
});
const crash = fc.record({ writes: fc.nat({ max: 3 }), written: fc.boolean() });

it("forgets no reservation that it has taken, with several processes that die at any time", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.tuple(fc.array(reservation, { maxLength: 6 }), fc.option(crash, { freq: 3 })), { maxLength: 3 }),
      async (scheduler, processes) => {
        const store = new ScheduledStore(scheduler);
        const taken = new Set<string>();
        const released = new Set<string>();
        const pause = async (): Promise<void> => await scheduler.schedule(Promise.resolve(), "pause");
        const release = async (id: string): Promise<void> => {
          await scheduler.schedule(Promise.resolve(), "release");
          released.add(id);
        };
        const deathOnly = (error: unknown): void => {
          if (!(error instanceof CrashError)) throw error;
        };
        const live = async ([reservations, dies]: (typeof processes)[number]): Promise<void> => {
          const ledger = new DueLedger(dies === null ? store : new CrashingStore(store, dies), pause);
          const remembered = reservations.map(async (one) => {
            await ledger.remember(one);
            // Swept before or not: it must have been released after it was taken.
            taken.add(one.reservationId);
          });
          const sweeper = new Sweeper({ ledger, release, now: () => END });
          await Promise.all([...remembered, sweeper.sweep()].map(async (one) => await one.catch(deathOnly)));
        };
        await scheduler.waitFor(Promise.all(processes.map(live)));
        const last = new DueLedger(store, pause);
        await scheduler.waitFor(new Sweeper({ ledger: last, release, now: () => END }).sweep());
        for (const id of taken) expect(released).toContain(id);
        expect(await scheduler.waitFor(last.secondsUntil(END))).toEqual([]);
        expect([...store.records.keys()].filter((key) => key.startsWith("due:"))).toEqual([]);
      },
    ),
    { numRuns: 300 },
  );
});
