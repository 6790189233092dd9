/** A number that only grows. */
export class Counter {
  value = 0;

  increment(): void {
    this.value++;
  }

  add(amount: number): void {
    this.value += amount;
  }
}

/** A number that goes up and down. */
export class Gauge {
  value = 0;

  set(value: number): void {
    this.value = value;
  }

  add(amount: number): void {
    this.value += amount;
  }
}

/**
 * Counts of observations between bounds. As in OpenCensus, which Dapr counts with, an observation equal to a bound falls
 * above it.
 */
export class Histogram {
  /** One more than there are bounds; not cumulative. */
  readonly counts: Float64Array;
  sum = 0;
  readonly #bounds: readonly number[];

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value >= (bounds[bucket] as number)) {
      bucket++;
    }
    (this.counts[bucket] as number)++;
    this.sum += value;
  }
}
