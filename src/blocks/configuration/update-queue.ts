import type { ConfigurationItems } from "../../components/spi/configuration.ts";

/** Updates that may wait for a slow reader; beyond, they are folded into one that holds each key's newest value. */
export const WAITING_UPDATES_MAX = 1_000;

/** Updates of one subscription in their order, between a store that pushes and a reader that pulls. */
export class UpdateQueue {
  readonly #waiting: ConfigurationItems[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  push(items: ConfigurationItems): void {
    if (this.#ended) {
      return;
    }
    if (this.#waiting.length >= WAITING_UPDATES_MAX) {
      const folded = new Map(this.#waiting.splice(0).flatMap((update) => Object.entries(update)));
      this.#waiting.push(Object.fromEntries(folded));
    }
    this.#waiting.push(items);
    this.#wake?.();
  }

  /** What still waits is not handed out any more. */
  end(): void {
    this.#ended = true;
    this.#waiting.length = 0;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ConfigurationItems> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        yield next;
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }
}
