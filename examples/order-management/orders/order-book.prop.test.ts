import fc from "fast-check";
import { expect, it } from "vitest";
import type { Invoice } from "../model/invoice.ts";
import { orderKey } from "../model/names.ts";
import { orderRecordSchema } from "../model/order.ts";
import { CrashError, CrashingStore, ScheduledStore } from "../store/scheduled-store.fixture.ts";
import type { VersionedStore } from "../store/versioned-store.ts";
import { OrderBook } from "./order-book.ts";

function invoice(id: string, quantity: number): Invoice {
  const lines = [{ code: "10001", description: "", quantity, unitPrice: 1 }];
  return { id, placedAt: "2026-03-02 09:00:00", customer: "1", country: "Ireland", lines };
}

const operation = fc.oneof(
  fc.record({ kind: fc.constant("place" as const), reservationId: fc.constantFrom("r1", "r2") }),
  fc.record({
    kind: fc.constant("conclude" as const),
    status: fc.constantFrom("confirmed" as const, "expired" as const),
  }),
  fc.record({ kind: fc.constant("cancel" as const), by: fc.constantFrom("C1", "C2", "C3") }),
);
const crash = fc.option(fc.record({ writes: fc.nat({ max: 2 }), written: fc.boolean() }), { freq: 3 });

it("has goods of an order taken back by one cancellation at most, whatever comes in between", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.tuple(operation, crash), { minLength: 1, maxLength: 10 }),
      async (scheduler, operations) => {
        const store = new ScheduledStore(scheduler);
        const moved = new Set<string>();
        const process = (seen: VersionedStore): OrderBook =>
          new OrderBook({
            store: seen,
            announce: async () => await scheduler.schedule(Promise.resolve(), "announce"),
            transfer: async ({ id }) => {
              await scheduler.schedule(Promise.resolve(), "transfer");
              moved.add(id);
              return { status: "done" };
            },
            pause: async () => await scheduler.schedule(Promise.resolve(), "pause"),
          });
        const run = async (book: OrderBook, done: (typeof operations)[number][0]): Promise<void> => {
          if (done.kind === "place") await book.place({ invoice: invoice("1", 2), reservationId: done.reservationId });
          if (done.kind === "conclude") await book.conclude({ id: "1", status: done.status });
          if (done.kind === "cancel") await book.cancel({ id: "1", invoice: invoice(done.by, -1) });
        };
        const mortal = async ([done, dies]: (typeof operations)[number]): Promise<void> =>
          await run(process(dies === null ? store : new CrashingStore(store, dies)), done).catch((error: unknown) => {
            if (!(error instanceof CrashError)) throw error;
          });
        await scheduler.waitFor(Promise.all(operations.map(mortal)));
        await scheduler.waitFor(Promise.all(operations.map(([done]) => run(process(store), done))));

        const stored = store.value(orderKey("1"));
        if (!operations.some(([{ kind }]) => kind === "place")) {
          expect(stored).toBeUndefined();
          return;
        }
        const order = orderRecordSchema.parse(stored);
        expect([...moved]).toEqual(order.cancelledBy === undefined ? [] : [order.cancelledBy]);
        expect(order.status === "cancelled").toBe(order.cancelledBy !== undefined);
        const ends = operations.flatMap(([done]) => (done.kind === "conclude" ? [done.status] : []));
        // It may have been placed after all of them.
        if (order.status !== "cancelled") expect(["placed", ...ends]).toContain(order.status);
      },
    ),
  );
});
