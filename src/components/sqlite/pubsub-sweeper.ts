import type { Clock, Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Engine } from "../../storage/engine.ts";
import type { PubSubStatement } from "./pubsub-schema.ts";

/** Messages that one write removes, which bounds how long others wait for it. */
const SWEPT_MESSAGES_MAX = 1_000;
/** Milliseconds between two rounds. */
const SWEEP_MS = 1_000;

/** Removes messages whose time is over, also those that nobody comes to take. */
export class PubSubSweeper {
  readonly #engine: Engine<PubSubStatement>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #timer: Timer;
  #sweeping: Promise<void> | undefined;
  #closed = false;

  constructor(engine: Engine<PubSubStatement>, clock: Clock, logger: Logger) {
    this.#engine = engine;
    this.#clock = clock;
    this.#logger = logger;
    this.#timer = clock.every(SWEEP_MS, () => void this.sweep());
  }

  /** One round; resolves when it is over, also when it failed. A round under way is not doubled. */
  sweep(): Promise<void> {
    if (this.#closed) {
      return Promise.resolve();
    }
    this.#sweeping ??= this.#removeExpired()
      .catch((error: unknown) => this.#logger.warn(`expired messages could not be removed: ${errorMessage(error)}`))
      .finally(() => {
        this.#sweeping = undefined;
      });
    return this.#sweeping;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer.cancel();
    await this.#sweeping;
  }

  async #removeExpired(): Promise<void> {
    const nowMs = this.#clock.now();
    if (this.#engine.read("hasExpired", [nowMs]) === undefined) {
      return;
    }
    for (;;) {
      const params = [nowMs, SWEPT_MESSAGES_MAX];
      const { changes } = await this.#engine.write([{ statement: "sweepExpired", params }]);
      if ((changes[0] ?? 0) < SWEPT_MESSAGES_MAX) {
        return;
      }
    }
  }
}
