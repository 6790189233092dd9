import type { Clock } from "../kit/clock.ts";
import type { Logger } from "../kit/logger.ts";
import { REFUSAL_LINE_MS } from "./limits.ts";

/** Tells of connections that mutual TLS refused, at most one line in a while: who is refused may come back at once. */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #clock: Clock;
  #lastLineMs = Number.NEGATIVE_INFINITY;
  #untold = 0;

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  refused(reason: string, remoteAddress: string): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#lastLineMs < REFUSAL_LINE_MS) {
      this.#untold += 1;
      return;
    }
    const who = remoteAddress === "" ? "a peer that has gone" : remoteAddress;
    const more = this.#untold === 0 ? "" : `; ${this.#untold} more were refused since the last such line`;
    this.#lastLineMs = nowMs;
    this.#untold = 0;
    this.#logger.warn(`TLS connection with ${who} was refused: ${reason}${more}`);
  }
}
