import type { Versioned } from "../model/bulk-items.ts";
import {
  isFinal,
  linesOfStep,
  type Movement,
  movementSchema,
  type MoveOutcome,
  type MoveRequest,
  newMovement,
  nextStep,
  STEP_LINES_MAX,
} from "../model/movement.ts";
import { itemKey, movementKey } from "../model/names.ts";
import { type OnHand, type OpeningStock, type StockItem, stockItemSchema, type StockSummary } from "../model/stock.ts";
import { type Pause, randomPause, retryOnConflict } from "./etag-retry.ts";
import type { Change, VersionedStore } from "./versioned-store.ts";

/** Records written by one request when the stock is opened. */
const OPENING_BATCH = 500;

/**
 * The rules of the stock service over its store. All that matters is in the store: every method may be called again
 * with the same arguments, in any number of processes at once, and changes nothing the second time.
 */
export class Warehouse {
  readonly #store: VersionedStore;
  readonly #pause: Pause;
  readonly #counts: StockSummary = { conflicts: 0, announced: 0, repeats: 0 };

  constructor(store: VersionedStore, pause: Pause = randomPause) {
    this.#store = store;
    this.#pause = pause;
  }

  /** Fills the shelves; what was on them is forgotten. */
  async open({ items }: OpeningStock): Promise<void> {
    const records = Object.entries(items).map(([code, onHand]) => {
      return { key: itemKey(code), value: { onHand, lowest: onHand } satisfies StockItem };
    });
    for (let at = 0; at < records.length; at += OPENING_BATCH) {
      await this.#store.overwrite(records.slice(at, at + OPENING_BATCH));
    }
  }

  /** Moves all goods of an order or none of them, step by step; the answer is final. */
  async move(request: MoveRequest): Promise<MoveOutcome> {
    let movement = newMovement(request);
    do {
      movement = await this.#retry((conflicts) => this.#step(request, movement, conflicts));
    } while (!isFinal(movement));
    const { phase, shortOf } = movement;
    return { phase, ...(shortOf === undefined ? {} : { shortOf }) };
  }

  /** Records that the order's event has arrived on a topic. False when no such order ever moved anything. */
  async announce(orderId: string, topic: string): Promise<boolean> {
    return await this.#retry(async () => {
      const key = movementKey(orderId);
      const record = (await this.#store.read([key])).get(key);
      if (record === undefined) return false;
      const movement = movementSchema.parse(record.value);
      const first = movement.announcedOn === undefined;
      const seen = first ? { announcedOn: topic } : { repeats: movement.repeats + 1 };
      await this.#store.write([{ key, value: { ...movement, ...seen }, etag: record.etag }]);
      this.#counts[first ? "announced" : "repeats"]++;
      return true;
    });
  }

  async onHand(code: string): Promise<OnHand> {
    const key = itemKey(code);
    const record = (await this.#store.read([key])).get(key);
    return { code, onHand: record === undefined ? null : stockItemSchema.parse(record.value).onHand };
  }

  summary(): StockSummary {
    return { ...this.#counts };
  }

  /**
   * One step, from what the store says now. `expected` only says which shelves to read along; where the stored
   * movement has come further, the step is taken on the next round. Each conflict halves the step, down to a single
   * line, so that large orders get through between many small ones.
   */
  async #step(request: MoveRequest, expected: Movement, conflicts: number): Promise<Movement> {
    const key = movementKey(request.orderId);
    const lines = linesOfStep(expected, Math.max(1, Math.floor(STEP_LINES_MAX / 2 ** conflicts)));
    const records = await this.#store.read([key, ...lines.map(({ code }) => itemKey(code))]);
    const stored = records.get(key);
    const movement = stored === undefined ? newMovement(request) : movementSchema.parse(stored.value);
    if (movement.phase !== expected.phase || movement.moved !== expected.moved) return movement;

    const items = new Map(lines.map(({ code }) => [code, itemIn(records.get(itemKey(code)))]));
    const step = nextStep(movement, lines, new Map([...items].map(([code, { onHand }]) => [code, onHand])));
    const changes: Change[] = [{ key, value: step.movement, etag: stored?.etag }];
    for (const [code, onHand] of step.onHand) {
      const item: StockItem = { onHand, lowest: Math.min(onHand, items.get(code)?.lowest ?? 0) };
      changes.push({ key: itemKey(code), value: item, etag: records.get(itemKey(code))?.etag });
    }
    await this.#store.write(changes);
    return step.movement;
  }

  async #retry<Result>(attempt: (conflicts: number) => Promise<Result>): Promise<Result> {
    return await retryOnConflict(attempt, async (conflicts) => {
      this.#counts.conflicts++;
      await this.#pause(conflicts);
    });
  }
}

/** A code that nobody has put on a shelf has nothing on hand. */
function itemIn(record: Versioned | undefined): StockItem {
  return record === undefined ? { onHand: 0, lowest: 0 } : stockItemSchema.parse(record.value);
}
