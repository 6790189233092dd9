import fc from "fast-check";
import { expect, it } from "vitest";
import {
  isBalanced,
  isCovered,
  openItem,
  post,
  stockEventSchema,
  type StockItem,
  stockItemSchema,
} from "../model/books.ts";
import { eventKey, itemKey, reservationKey, transferKey } from "../model/names.ts";
import { RESERVATION_ENDS, reservationSchema } from "../model/reservation.ts";
import type { StockLine } from "../model/stock-line.ts";
import { transferSchema } from "../model/transfer.ts";
import { CrashError, CrashingStore, ScheduledStore } from "../store/scheduled-store.fixture.ts";
import type { Change, VersionedStore } from "../store/versioned-store.ts";
import { STEP_LINES_MAX } from "./mover.ts";
import { Warehouse } from "./warehouse.ts";

/** Enough for an order that takes two steps. */
const CODES = Array.from({ length: STEP_LINES_MAX + 2 }, (_, index) => String(10_000 + index));
const OPENING = 4;
const NOW = Date.UTC(2026, 0, 1);

/** The shelves that everyone wants to have something of: the last ones, so that large orders meet the shortage late. */
const FEW = CODES.slice(-3);
const line = fc.record({ code: fc.constantFrom(...FEW), quantity: fc.integer({ min: 1, max: 4 }) });
const linesOf: fc.Arbitrary<StockLine[]> = fc.oneof(
  fc.uniqueArray(line, { selector: ({ code }) => code, maxLength: FEW.length }),
  fc.constant(CODES.map((code) => ({ code, quantity: 2 }))),
);
const reservations = fc.tuple(linesOf, linesOf, linesOf, linesOf);
const transfers = fc.tuple(
  ...(["return", "cancellation", "write-off"] as const).map((kind) =>
    fc.record({ kind: fc.constant(kind), lines: linesOf }),
  ),
);

const owner = fc.nat({ max: 3 });
const operation = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("reserve" as const), owner }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("commit" as const), owner }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("release" as const),
      owner,
      reason: fc.constantFrom("cancelled" as const, "expired" as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("transfer" as const), owner: fc.nat({ max: 2 }) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

/** How the process that works on an operation dies; most do not. */
const crash = fc.option(fc.record({ writes: fc.nat({ max: 3 }), written: fc.boolean() }), { freq: 3 });

/** A store that looks at the books with each write. */
class WatchedStore extends ScheduledStore {
  readonly announced = new Set<string>();

  override async write(changes: readonly Change[]): Promise<void> {
    await super.write(changes);
    for (const { key, value } of changes) {
      expect(value, `${key} was deleted`).toBeDefined();
      if (key.startsWith("item:")) expectSound(key, stockItemSchema.parse(value));
      if (!key.startsWith("reservation:")) continue;
      const { id, entries } = reservationSchema.parse(value);
      if (entries > 0) expect(this.announced, `${id} was not announced`).toContain(id);
    }
  }
}

function expectSound(key: string, item: StockItem): void {
  expect(isBalanced(item), `${key} is out of balance`).toBe(true);
  expect(isCovered(item), `${key} is below zero`).toBe(true);
  expect(item.lowest, `${key} was below zero`).toBeGreaterThanOrEqual(0);
  expect(item.lowest).toBeLessThanOrEqual(item.onHand);
}

/** The books as the event log tells them. */
function booksOf(store: ScheduledStore): Map<string, StockItem> {
  const books = new Map(CODES.map((code) => [code, openItem(OPENING)]));
  for (const [key, { value }] of store.records) {
    if (!key.startsWith("event:")) continue;
    const event = stockEventSchema.parse(value);
    expect(key).toBe(eventKey(event.owner, event.n));
    for (const { code, quantity } of event.lines) books.set(code, post(books.get(code)!, event.kind, quantity));
  }
  return books;
}

/** Units by kind that the event log says of one owner, which must have no gap. */
function loggedOf(store: ScheduledStore, ownerKey: string, entries: number): Record<string, number> {
  const logged: Record<string, number> = {};
  for (let n = 0; n < entries; n++) {
    const { kind, lines } = stockEventSchema.parse(store.records.get(eventKey(ownerKey, n))?.value);
    logged[kind] = (logged[kind] ?? 0) + unitsIn(lines);
  }
  expect(store.records.has(eventKey(ownerKey, entries))).toBe(false);
  return logged;
}

function unitsIn(lines: readonly StockLine[]): number {
  return lines.reduce((sum, { quantity }) => sum + quantity, 0);
}

it("keeps its books whatever comes in between, comes twice or is cut off", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      reservations,
      transfers,
      fc.array(fc.tuple(operation, crash), { minLength: 1, maxLength: 12 }),
      async (scheduler, reserved, moved, operations) => {
        const store = new WatchedStore(scheduler);
        const process = (seen: VersionedStore): Warehouse =>
          new Warehouse({
            store: seen,
            now: () => NOW,
            lifetimeMs: () => 1000,
            announce: async ({ reservationId }) => {
              await scheduler.schedule(Promise.resolve(), "announce");
              store.announced.add(reservationId);
            },
            pause: async () => await scheduler.schedule(Promise.resolve(), "pause"),
          });
        const run = async (warehouse: Warehouse, done: Operation): Promise<{ status: string }> => {
          const reservationId = `r${done.owner}`;
          switch (done.kind) {
            case "reserve":
              return await warehouse.reserve({ reservationId, lines: reserved[done.owner] ?? [] });
            case "commit":
              return await warehouse.commit({
                reservationId,
                orderId: `o${done.owner}`,
                lines: reserved[done.owner] ?? [],
              });
            case "release":
              return await warehouse.release({ reservationId, reason: done.reason });
            case "transfer":
              return await warehouse.transfer({ id: `t${done.owner}`, ...moved[done.owner]! });
          }
        };

        const whole = process(store);
        await scheduler.waitFor(whole.open({ items: Object.fromEntries(CODES.map((code) => [code, OPENING])) }));
        await scheduler.waitFor(
          Promise.all(
            operations.map(async ([done, dies]) => {
              const mortal = process(dies === null ? store : new CrashingStore(store, dies));
              await run(mortal, done).catch((error: unknown) => {
                if (!(error instanceof CrashError)) throw error;
              });
            }),
          ),
        );
        // Whoever repeats it completes it; in the end everything that is still open expires.
        const repeated = await scheduler.waitFor(Promise.all(operations.map(([done]) => run(whole, done))));
        const releases = await scheduler.waitFor(
          Promise.all(
            reserved.map(async (_, at) => await whole.release({ reservationId: `r${at}`, reason: "expired" })),
          ),
        );

        for (const [at, { status }] of releases.entries()) {
          const key = reservationKey(`r${at}`);
          const reservation = reservationSchema.parse(store.records.get(key)?.value);
          expect(RESERVATION_ENDS).toContain(reservation.phase);
          const { reserve = 0, unreserve = 0, commit = 0, release = 0 } = loggedOf(store, key, reservation.entries);
          expect(reserve).toBe(unreserve + commit + release);
          expect(commit).toBe(status === "committed" ? unitsIn(reservation.lines) : 0);
          if (status === "refused") expect([commit, release]).toEqual([0, 0]);
        }
        for (const [at, [done]] of operations.entries()) {
          const status = repeated[at]!.status;
          if (done.kind === "commit" && status === "committed") expect(releases[done.owner]!.status).toBe("committed");
          if (done.kind === "release") expect(status).toBe(releases[done.owner]!.status);
          if (done.kind !== "transfer") continue;
          const key = transferKey(`t${done.owner}`);
          const transfer = transferSchema.parse(store.records.get(key)?.value);
          const logged = loggedOf(store, key, transfer.entries);
          const kept = (logged[transfer.kind] ?? 0) - (logged[`undo-${transfer.kind}`] ?? 0);
          expect(kept).toBe(status === "done" ? unitsIn(transfer.lines) : 0);
          expect(transfer.phase).toBe(status);
        }
        for (const [code, item] of booksOf(store)) {
          const { lowest } = stockItemSchema.parse(store.records.get(itemKey(code))?.value);
          expect(store.records.get(itemKey(code))?.value).toEqual({ ...item, lowest });
        }
      },
    ),
  );
});

it("refuses nothing that there is enough of, and sells no unit twice", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(linesOf, { minLength: 1, maxLength: 5 }), async (scheduler, orders) => {
      const warehouse = new Warehouse({
        store: new ScheduledStore(scheduler),
        now: () => NOW,
        lifetimeMs: () => 1000,
        announce: async () => {},
        pause: async () => await scheduler.schedule(Promise.resolve(), "pause"),
      });
      await scheduler.waitFor(warehouse.open({ items: Object.fromEntries(CODES.map((code) => [code, OPENING])) }));
      const sell = async (lines: StockLine[], at: number): Promise<string> => {
        const { status } = await warehouse.reserve({ reservationId: `r${at}`, lines });
        if (status !== "reserved") return status;
        return (await warehouse.commit({ reservationId: `r${at}`, orderId: `o${at}`, lines })).status;
      };
      const ends = await scheduler.waitFor(Promise.all(orders.map(sell)));
      const wanted = (code: string, of: readonly StockLine[][]): number =>
        unitsIn(of.flat().filter((one) => one.code === code));
      if (CODES.every((code) => wanted(code, orders) <= OPENING)) expect(new Set(ends)).toEqual(new Set(["committed"]));
      for (const code of CODES) {
        const sold = wanted(
          code,
          orders.filter((_, at) => ends[at] === "committed"),
        );
        const { item } = await scheduler.waitFor(warehouse.availability(code));
        expect(item).toEqual({ code, onHand: OPENING - sold, reserved: 0 });
      }
    }),
  );
});
