import { type DueBucket, dueBucketSchema, type DueIndex, dueIndexSchema } from "../model/due.ts";
import type { ReservationRequested } from "../model/messages.ts";
import { DUE_INDEX_KEY, dueKey } from "../model/names.ts";
import { type Pause, randomPause, retryOnConflict } from "../store/etag-retry.ts";
import type { Change, Versioned, VersionedStore } from "../store/versioned-store.ts";

/** Reservations that are remembered by one transaction. */
const BATCH_MAX = 50;

interface Waiting {
  readonly reservation: ReservationRequested;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The first second at whose beginning a time is over. */
export function dueSecond(expiresAt: number): number {
  return Math.ceil(expiresAt / 1000);
}

/**
 * Which reservations expire when: a bucket of ids for each second, and an index of the seconds, in one store. Those that
 * come in while one transaction is under way share the next one.
 */
export class DueLedger {
  readonly #store: VersionedStore;
  readonly #pause: Pause;
  readonly #waiting: Waiting[] = [];
  #writing = false;

  constructor(store: VersionedStore, pause: Pause = randomPause) {
    this.#store = store;
    this.#pause = pause;
  }

  /** Resolves when the reservation is in its bucket, also where it was before. */
  async remember(reservation: ReservationRequested): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ reservation, resolve, reject });
    if (!this.#writing) void this.#writeAll();
    await promise;
  }

  /** The seconds up to `now` (milliseconds since 1970) that have a bucket, the oldest first. */
  async secondsUntil(now: number): Promise<number[]> {
    const index = indexIn((await this.#store.read([DUE_INDEX_KEY])).get(DUE_INDEX_KEY));
    return index.seconds.filter((second) => second * 1000 <= now);
  }

  /** The reservations of one second. */
  async idsOf(second: number): Promise<readonly string[]> {
    return bucketIn((await this.#store.read([dueKey(second)])).get(dueKey(second))).ids;
  }

  /** Forgets the reservations of one second; those that were not among `done` stay. */
  async forget(second: number, done: readonly string[]): Promise<void> {
    const key = dueKey(second);
    const forgotten = new Set(done);
    await retryOnConflict(async () => {
      const records = await this.#store.read([DUE_INDEX_KEY, key]);
      const bucket = records.get(key);
      const left = bucketIn(bucket).ids.filter((id) => !forgotten.has(id));
      if (left.length > 0) {
        await this.#store.write([{ key, value: { ids: left } satisfies DueBucket, etag: bucket?.etag }]);
        return;
      }
      const index = records.get(DUE_INDEX_KEY);
      const before = indexIn(index).seconds;
      const seconds = before.filter((other) => other !== second);
      const changes: Change[] = [];
      if (seconds.length < before.length) {
        changes.push({ key: DUE_INDEX_KEY, value: { seconds } satisfies DueIndex, etag: index?.etag });
      }
      if (bucket !== undefined) changes.push({ key, value: undefined, etag: bucket.etag });
      await this.#store.write(changes);
    }, this.#pause);
  }

  async #writeAll(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_MAX);
      try {
        await retryOnConflict(async () => await this.#write(batch.map(({ reservation }) => reservation)), this.#pause);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#writing = false;
  }

  async #write(reservations: readonly ReservationRequested[]): Promise<void> {
    const bySecond = Map.groupBy(reservations, ({ expiresAt }) => dueSecond(expiresAt));
    const records = await this.#store.read([DUE_INDEX_KEY, ...[...bySecond.keys()].map((second) => dueKey(second))]);
    const changes: Change[] = [];
    for (const [second, members] of bySecond) {
      const record = records.get(dueKey(second));
      const before = bucketIn(record).ids;
      const ids = [...new Set([...before, ...members.map(({ reservationId }) => reservationId)])];
      if (ids.length > before.length) changes.push({ key: dueKey(second), value: { ids }, etag: record?.etag });
    }
    const index = records.get(DUE_INDEX_KEY);
    const known = new Set(indexIn(index).seconds);
    const added = [...bySecond.keys()].filter((second) => !known.has(second));
    if (added.length > 0) {
      const seconds = [...known, ...added].sort((a, b) => a - b);
      changes.push({ key: DUE_INDEX_KEY, value: { seconds } satisfies DueIndex, etag: index?.etag });
    }
    await this.#store.write(changes);
  }
}

function indexIn(record: Versioned | undefined): DueIndex {
  return record === undefined ? { seconds: [] } : dueIndexSchema.parse(record.value);
}

function bucketIn(record: Versioned | undefined): DueBucket {
  return record === undefined ? { ids: [] } : dueBucketSchema.parse(record.value);
}
