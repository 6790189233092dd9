import type { Random } from "../kit/random.ts";

/** Delays that double from failure to failure up to a bound, each more or less by half so that many clients spread out. */
export class Backoff {
  readonly #random: Random;
  readonly #firstMs: number;
  readonly #mostMs: number;
  #nextMs: number;

  constructor(random: Random, firstMs: number, mostMs: number) {
    this.#random = random;
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
    this.#nextMs = firstMs;
  }

  /** Milliseconds to wait now. */
  next(): number {
    const delayMs = this.#nextMs;
    this.#nextMs = Math.min(delayMs * 2, this.#mostMs);
    return delayMs * (0.5 + this.#random.next());
  }

  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}
