interface Bucket {
  startMs: number;
  counts: number[];
}

/** Counts over the last while, kept in buckets of equal length, of which the oldest is given up as a whole. */
export class SlidingWindow {
  readonly #bucketMs: number;
  readonly #intervalMs: number;
  readonly #buckets: Bucket[];

  /** @param kinds of things that are counted, each by its number */
  constructor(intervalMs: number, buckets: number, kinds: number) {
    this.#intervalMs = intervalMs;
    this.#bucketMs = intervalMs / buckets;
    // One more than the interval has, for `sum` of the interval before.
    this.#buckets = Array.from({ length: buckets + 1 }, () => ({
      startMs: Number.NEGATIVE_INFINITY,
      counts: Array.from({ length: kinds }, () => 0),
    }));
  }

  get intervalMs(): number {
    return this.#intervalMs;
  }

  get bucketMs(): number {
    return this.#bucketMs;
  }

  add(kind: number, amount: number, nowMs: number): void {
    const { counts } = this.#current(nowMs);
    counts[kind] = (counts[kind] ?? 0) + amount;
  }

  /** Of the interval that ends with the bucket of this moment. */
  sum(kind: number, nowMs: number): number {
    let sum = 0;
    for (const counts of this.#within(nowMs)) {
      sum += counts[kind] ?? 0;
    }
    return sum;
  }

  /** The most that one bucket of the interval has. */
  peak(kind: number, nowMs: number): number {
    return Math.max(0, ...this.#within(nowMs).map((counts) => counts[kind] ?? 0));
  }

  reset(): void {
    for (const bucket of this.#buckets) {
      bucket.startMs = Number.NEGATIVE_INFINITY;
    }
  }

  #within(nowMs: number): readonly (readonly number[])[] {
    const startMs = this.#startOf(nowMs);
    return this.#buckets
      .filter((bucket) => bucket.startMs <= startMs && bucket.startMs > startMs - this.#intervalMs)
      .map(({ counts }) => counts);
  }

  #current(nowMs: number): Bucket {
    const startMs = this.#startOf(nowMs);
    const index = Math.round(startMs / this.#bucketMs) % this.#buckets.length;
    const bucket = this.#buckets[index] as Bucket;
    if (bucket.startMs !== startMs) {
      bucket.startMs = startMs;
      bucket.counts.fill(0);
    }
    return bucket;
  }

  #startOf(nowMs: number): number {
    return Math.floor(nowMs / this.#bucketMs) * this.#bucketMs;
  }
}
