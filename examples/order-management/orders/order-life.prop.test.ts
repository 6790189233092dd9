import fc from "fast-check";
import { expect, it } from "vitest";
import { isBalanced, isCovered } from "../model/books.ts";
import type { Invoice } from "../model/invoice.ts";
import type { OrderRecord, OrderStatus } from "../model/order.ts";
import { OrderLife } from "./order-life.ts";
import { Shelves } from "./shelves.fixture.ts";

const LIFETIME_MS = 1_000;
/** So many that what needs several accidents in a row comes about. */
const RUNS = 1_000;
const CODES = ["10001", "10002", "10003"] as const;

function invoice(id: string, quantities: readonly number[]): Invoice {
  const lines = CODES.flatMap((code, at) => {
    const quantity = quantities[at] ?? 0;
    return quantity === 0 ? [] : [{ code, description: "", quantity, unitPrice: 1 }];
  });
  return { id, placedAt: "2026-03-02 09:00:00", customer: "1", country: "Ireland", lines };
}

const command = fc.record({
  order: fc.nat({ max: 1 }),
  name: fc.constantFrom("place", "pay", "confirm", "cancel", "refund", "remind"),
  /** Dies at that one of its effects; with it done or not. */
  dies: fc.option(fc.record({ at: fc.nat({ max: 6 }), done: fc.boolean() }), { freq: 2 }),
  waitMs: fc.constantFrom(0, 0, 400),
  /** A command to a stock actor that was under way when its sender died arrives now. */
  arrives: fc.boolean(),
});
const quantities = fc
  .array(fc.nat({ max: 3 }), { minLength: 3, maxLength: 3 })
  .filter((all) => all.some((one) => one > 0));

class CrashError extends Error {}

it("keeps the books in balance and ends every order once, wherever its turns are cut off", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { minLength: 1, maxLength: 20 }),
      fc.tuple(quantities, quantities),
      fc.array(fc.nat({ max: 3 }), { minLength: 3, maxLength: 3 }),
      async (commands, wanted, units) => {
        const shelves = new Shelves(Object.fromEntries(CODES.map((code, at) => [code, units[at] ?? 0])));
        const stored = new Map<string, OrderRecord>();
        const reminders = new Set<string>();
        const underWay: (() => void)[] = [];
        let nowMs = 0;

        /** One turn of an order's actor: every effect may be its last, and the caller never knows whether it was done. */
        const turn = async (
          id: string,
          dies: (typeof commands)[number]["dies"],
          run: (life: OrderLife) => Promise<unknown>,
        ) => {
          let left = dies?.at ?? Number.POSITIVE_INFINITY;
          const effect = <Result>(act: () => Result, mayBeLate = false): Result => {
            if (left-- > 0) return act();
            if (dies?.done === true) act();
            else if (mayBeLate) underWay.push(act);
            throw new CrashError();
          };
          const life = new OrderLife({
            id,
            load: async () => await Promise.resolve(stored.get(id)),
            save: async (order) => void effect(() => stored.set(id, order)),
            move: async (kind, lines) => {
              for (const line of lines)
                if (!effect(() => shelves.move(`order:${id}`, kind, line), true)) return line.code;
              return await Promise.resolve(undefined);
            },
            announce: async () => await Promise.resolve(effect(() => undefined)),
            remind: async () => void effect(() => reminders.add(id)),
            forget: async () => void effect(() => reminders.delete(id)),
            now: () => nowMs,
            lifetimeMs: () => LIFETIME_MS,
          });
          await run(life).catch((error: unknown) => {
            if (!(error instanceof CrashError)) throw error;
          });
        };
        const perform = async ({ order, name, dies }: (typeof commands)[number]): Promise<void> => {
          const id = String(order);
          const all = wanted[order] ?? [];
          await turn(id, dies, async (life) => {
            if (name === "place") await life.place({ invoice: invoice(id, all) });
            else if (name === "refund")
              await life.refund({
                invoice: invoice(
                  `C${id}`,
                  all.map((one) => -one),
                ),
              });
            else if (name === "remind") await life.carryOn();
            else await life[name]();
          });
        };

        for (const one of commands) {
          await perform(one);
          nowMs += one.waitMs;
          if (one.arrives) underWay.shift()?.();
        }
        // What still has a reminder is reminded, and whoever hears of a paid order confirms it.
        nowMs += 2 * LIFETIME_MS;
        for (const id of reminders) {
          if (stored.get(id)?.status === "paid") await turn(id, null, async (life) => await life.confirm());
          await turn(id, null, async (life) => await life.carryOn());
        }
        for (const arrive of underWay) arrive();

        expect(reminders.size).toBe(0);
        const ends: readonly OrderStatus[] = ["confirmed", "refunded", "rejected", "cancelled", "expired"];
        for (const { status } of stored.values()) expect(ends).toContain(status);
        for (const [at, code] of CODES.entries()) {
          const books = shelves.books.get(code)!;
          expect(isBalanced(books) && isCovered(books) && books.lowest >= 0).toBe(true);
          expect(books.reserved).toBe(0);
          const sold = [...stored].reduce((sum, [id, { status }]) => {
            return sum + (status === "confirmed" ? (wanted[Number(id)]?.[at] ?? 0) : 0);
          }, 0);
          expect(books.sold).toBe(sold);
        }
      },
    ),
    { numRuns: RUNS },
  );
});
