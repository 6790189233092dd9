import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";

/** What a start has opened so far, to be closed again when a later step of it fails. */
export class UndoSteps {
  readonly #steps: (() => unknown)[] = [];

  add(close: () => unknown): void {
    this.#steps.push(close);
  }

  /** Closes in reverse order, whatever fails on the way. */
  async run(logger: Logger): Promise<void> {
    for (const close of this.#steps.toReversed()) {
      try {
        await close();
      } catch (error) {
        logger.warn(`error while closing: ${errorMessage(error)}`);
      }
    }
  }
}
