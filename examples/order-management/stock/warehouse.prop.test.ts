import fc from "fast-check";
import { expect, it } from "vitest";
import type { Versioned } from "../model/bulk-items.ts";
import { movementSchema, type MoveRequest, STEP_LINES_MAX } from "../model/movement.ts";
import { itemKey, movementKey } from "../model/names.ts";
import { stockItemSchema } from "../model/stock.ts";
import { type Change, EtagConflictError, type VersionedStore } from "./versioned-store.ts";
import { Warehouse } from "./warehouse.ts";

/** A store whose every request waits for the scheduler, so that a run decides which of them comes next. */
class ScheduledStore implements VersionedStore {
  readonly records = new Map<string, Versioned>();
  readonly #scheduler: fc.Scheduler;
  #version = 0;

  constructor(scheduler: fc.Scheduler) {
    this.#scheduler = scheduler;
  }

  async read(keys: readonly string[]): Promise<Map<string, Versioned>> {
    await this.#scheduler.schedule(Promise.resolve(), "read");
    return new Map(keys.flatMap((key) => (this.records.has(key) ? [[key, this.records.get(key)!] as const] : [])));
  }

  async write(changes: readonly Change[]): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve(), "write");
    for (const { key, etag } of changes) {
      if (this.records.get(key)?.etag !== etag) throw new EtagConflictError(key);
    }
    this.#set(changes);
  }

  async overwrite(records: readonly Pick<Change, "key" | "value">[]): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve(), "overwrite");
    this.#set(records);
  }

  #set(records: readonly Pick<Change, "key" | "value">[]): void {
    for (const { key, value } of records) {
      this.records.set(key, { value: JSON.parse(JSON.stringify(value)) as unknown, etag: String(++this.#version) });
    }
  }
}

/** Enough for an order that takes two steps. */
const CODES = Array.from({ length: STEP_LINES_MAX + 2 }, (_, index) => String.fromCharCode(97 + index));
const OPENING = { items: Object.fromEntries(CODES.map((code) => [code, 4])) };
const FEW = CODES.slice(-3);

const line = fc.record({ code: fc.constantFrom(...FEW), quantity: fc.integer({ min: 1, max: 4 }) });
const requests: fc.Arbitrary<MoveRequest[]> = fc.uniqueArray(
  fc.record({
    orderId: fc.constantFrom("1", "2", "3", "4", "5"),
    direction: fc.constantFrom("out", "out", "in"),
    lines: fc.oneof(
      fc.uniqueArray(line, { selector: ({ code }) => code, maxLength: FEW.length }),
      fc.constant(CODES.map((code) => ({ code, quantity: 2 }))),
    ),
  }),
  { selector: ({ orderId }) => orderId, minLength: 1 },
);

/** Whether no order can find too little, in whatever order they come. */
function isEnoughForAll(orders: readonly MoveRequest[]): boolean {
  const out = orders.filter(({ direction }) => direction === "out").flatMap(({ lines }) => lines);
  return CODES.every((code) => out.reduce((sum, one) => sum + (one.code === code ? one.quantity : 0), 0) <= 4);
}

it("keeps its books whatever comes in between, also when every order and event arrives twice", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), requests, async (scheduler, orders) => {
      const store = new ScheduledStore(scheduler);
      const warehouse = new Warehouse(store, async () => await scheduler.schedule(Promise.resolve(), "pause"));
      await scheduler.waitFor(warehouse.open(OPENING));

      const both = async (order: MoveRequest): Promise<void> => {
        const outcomes = await Promise.all([warehouse.move(order), warehouse.move(order)]);
        expect(outcomes[0]).toEqual(outcomes[1]);
        const topic = outcomes[0].phase;
        expect(
          await Promise.all([warehouse.announce(order.orderId, topic), warehouse.announce(order.orderId, topic)]),
        ).toEqual([true, true]);
      };
      await scheduler.waitFor(Promise.all(orders.map(both)));

      const due = new Map(Object.entries(OPENING.items));
      for (const order of orders) {
        const movement = movementSchema.parse(store.records.get(movementKey(order.orderId))?.value);
        if (isEnoughForAll(orders)) expect(movement.phase).toBe("done");
        expect(movement).toMatchObject({ announcedOn: movement.phase, repeats: 1 });
        if (movement.phase === "refused") continue;
        const sign = order.direction === "out" ? -1 : 1;
        for (const { code, quantity } of order.lines) due.set(code, due.get(code)! + sign * quantity);
      }
      for (const code of CODES) {
        const item = stockItemSchema.parse(store.records.get(itemKey(code))?.value);
        expect(item.onHand).toBe(due.get(code));
        expect(item.lowest).toBeGreaterThanOrEqual(0);
        expect(item.lowest).toBeLessThanOrEqual(item.onHand);
      }
    }),
  );
});

it("knows no order that never moved", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const warehouse = new Warehouse(new ScheduledStore(scheduler), async () => {});
      expect(await scheduler.waitFor(warehouse.announce("1", "order-placed"))).toBe(false);
      expect(await scheduler.waitFor(warehouse.onHand("a"))).toEqual({ code: "a", onHand: null });
    }),
    { numRuns: 1 },
  );
});
