const BUCKETS_PER_DOUBLING = 32;
const SMALLEST_MS = 0.001;

/** Latencies in logarithmic buckets: any quantile within 2.2 %, in constant memory. */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS_PER_DOUBLING * 40);
  #total = 0;

  record(ms: number): void {
    const index = Math.max(0, Math.ceil(Math.log2(ms / SMALLEST_MS) * BUCKETS_PER_DOUBLING));
    const bounded = Math.min(index, this.#counts.length - 1);
    this.#counts[bounded] = (this.#counts[bounded] ?? 0) + 1;
    this.#total += 1;
  }

  /** The upper edge in milliseconds of the bucket that holds the quantile; 0 when nothing was recorded. */
  quantile(fraction: number): number {
    let left = this.#total * fraction;
    for (let index = 0; index < this.#counts.length; index += 1) {
      left -= this.#counts[index] ?? 0;
      if (left <= 0 && this.#total > 0) {
        return SMALLEST_MS * 2 ** (index / BUCKETS_PER_DOUBLING);
      }
    }
    return 0;
  }
}
