interface Bucket {
  tokens: number;
  atMs: number;
}

/** A bucket of tokens for each key, of which the least recently used ones are forgotten, which fills them up again. */
export class TokenBuckets {
  readonly #perSecond: number;
  readonly #size: number;
  readonly #bucketsMax: number;
  /** The least recently used first. */
  readonly #buckets = new Map<string, Bucket>();

  /** @param perSecond tokens that come in each second; a bucket holds as many, rounded down, and at least one */
  constructor(perSecond: number, bucketsMax: number) {
    this.#perSecond = perSecond;
    this.#size = Math.trunc(Math.max(1, perSecond));
    this.#bucketsMax = bucketsMax;
  }

  /** Takes one token. @returns whole tokens that are left, undefined when there was none to take */
  take(key: string, nowMs: number): number | undefined {
    const bucket = this.#buckets.get(key) ?? { tokens: this.#size, atMs: nowMs };
    const elapsedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.tokens = Math.min(this.#size, bucket.tokens + (elapsedMs * this.#perSecond) / 1_000);
    bucket.atMs = nowMs;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#bucketsMax) {
      const [oldest] = this.#buckets.keys();
      this.#buckets.delete(oldest as string);
    }
    if (bucket.tokens < 1) {
      return undefined;
    }
    bucket.tokens -= 1;
    return Math.trunc(bucket.tokens);
  }
}
