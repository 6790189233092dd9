import { openItem, type StockEvent, stockItemSchema } from "../model/books.ts";
import { eventKey, itemKey } from "../model/names.ts";
import type { StockLine } from "../model/stock-line.ts";
import { type Pause, randomPause, retryOnConflict } from "../store/etag-retry.ts";
import type { Change, Versioned, VersionedStore } from "../store/versioned-store.ts";
import { type Course, linesOfStep, type Moving, stepOf } from "./course.ts";

/** Lines that one step moves at most: a step is one transaction on as many ETags, and larger ones meet more conflicts. */
export const STEP_LINES_MAX = 20;

export interface MoverOptions {
  readonly store: VersionedStore;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly pause?: Pause;
}

/** What is to become of the record of one owner. */
export interface Errand<Owner extends Moving> {
  readonly key: string;
  readonly course: Course<Owner>;
  readonly parse: (value: unknown) => Owner;
  /** The lines that will probably be moved first; they are read along. */
  readonly lines: readonly StockLine[];
  /** What is stored, or should be instead of it; undefined when there is nothing and nothing should be. */
  readonly wanted: (stored: Owner | undefined) => Owner | undefined;
}

/**
 * Moves goods step by step. How far an owner has come is only in the store: whoever runs the same errand again, later or
 * at the same time, in this process or in another, completes what was begun.
 */
export class Mover {
  readonly #store: VersionedStore;
  readonly #now: () => number;
  readonly #pause: Pause;

  constructor({ store, now, pause }: MoverOptions) {
    this.#store = store;
    this.#now = now;
    this.#pause = pause ?? randomPause;
  }

  /** The owner when nothing of it is left to be moved. */
  async run<Owner extends Moving>(errand: Errand<Owner>): Promise<Owner | undefined> {
    let next = errand.lines;
    for (;;) {
      const { owner, rest } = await retryOnConflict(async (conflicts) => {
        const linesMax = Math.max(1, Math.floor(STEP_LINES_MAX / 2 ** conflicts));
        const keys = [errand.key, ...next.slice(0, linesMax).map(({ code }) => itemKey(code))];
        return await this.#step(errand, keys, linesMax);
      }, this.#pause);
      if (rest === undefined) return owner;
      next = rest;
    }
  }

  /** One step, from what the store says now of these keys. `rest` begins with the lines of the step after it. */
  async #step<Owner extends Moving>(
    { key, course, parse, wanted }: Errand<Owner>,
    keys: readonly string[],
    linesMax: number,
  ): Promise<{ owner: Owner | undefined; rest: readonly StockLine[] | undefined }> {
    const records = await this.#store.read(keys);
    const record = records.get(key);
    const stored = record === undefined ? undefined : parse(record.value);
    const owner = wanted(stored);
    if (owner === undefined) return { owner, rest: undefined };

    const way = course.way(owner);
    if (way === undefined) {
      if (owner !== stored) await this.#store.write([{ key, value: owner, etag: record?.etag }]);
      return { owner, rest: undefined };
    }
    const lines = linesOfStep(owner, way, linesMax);
    // Others have brought it further than was expected: with these lines on the next round.
    if (!lines.every(({ code }) => keys.includes(itemKey(code)))) return { owner, rest: lines };

    const books = new Map(lines.map(({ code }) => [code, itemIn(records.get(itemKey(code)))]));
    const step = stepOf(course, owner, way, lines, books);
    const changes: Change[] = [{ key, value: step.owner, etag: record?.etag }];
    for (const [code, item] of step.items) {
      changes.push({ key: itemKey(code), value: item, etag: records.get(itemKey(code))?.etag });
    }
    if (step.entry !== undefined) {
      const at = new Date(this.#now()).toISOString();
      const event: StockEvent = { owner: key, n: owner.entries, ...step.entry, lines: [...step.entry.lines], at };
      changes.push({ key: eventKey(key, event.n), value: event, etag: undefined });
    }
    await this.#store.write(changes);
    const after = course.way(step.owner);
    return { owner: step.owner, rest: after && linesOfStep(step.owner, after, STEP_LINES_MAX) };
  }
}

/** A code that nobody has put on a shelf has nothing on hand. */
function itemIn(record: Versioned | undefined) {
  return record === undefined ? openItem(0) : stockItemSchema.parse(record.value);
}
