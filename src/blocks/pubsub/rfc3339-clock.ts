import type { Clock } from "../../kit/clock.ts";

/** Times as CloudEvents carry them: RFC 3339 in UTC, whole seconds. The current second's text is made once. */
export class Rfc3339Clock {
  readonly #clock: Clock;
  #second = -1;
  #text = "";

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): string {
    const second = Math.floor(this.#clock.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = formatRfc3339(second * 1000);
    }
    return this.#text;
  }

  after(delayMs: number): string {
    return formatRfc3339(this.#clock.now() + delayMs);
  }
}

export function formatRfc3339(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}
