import { sleep } from "../../kit/clock.ts";
import type { ComponentDeps } from "../spi/component.ts";
import { RECONNECT_PAUSE_MS_MAX, RECONNECT_PAUSE_MS_MIN } from "./limits.ts";

/** Whether the server is away. Loss and return are logged once each and reported; in between it is looked for. */
export class Outage {
  readonly #deps: Pick<ComponentDeps, "clock" | "random" | "logger" | "report">;
  readonly #closing: AbortSignal;
  /** Tries to connect once; when that works somebody calls `found`. */
  readonly #tryOnce: () => Promise<void>;
  #isOn = false;

  constructor(
    deps: Pick<ComponentDeps, "clock" | "random" | "logger" | "report">,
    closing: AbortSignal,
    tryOnce: () => Promise<void>,
  ) {
    this.#deps = deps;
    this.#closing = closing;
    this.#tryOnce = tryOnce;
  }

  found(): void {
    if (this.#isOn) {
      this.#isOn = false;
      this.#deps.logger.info("postgresql: connected again");
    }
    this.#deps.report("ready");
  }

  away(reason: string): void {
    this.#deps.report("degraded", `postgresql: ${reason}`);
    if (!this.#isOn) {
      this.#isOn = true;
      this.#deps.logger.warn(`postgresql: connection lost: ${reason}; connecting again`);
      void this.#search();
    }
  }

  async #search(): Promise<void> {
    for (let attempt = 0; this.#isOn && !this.#closing.aborted; attempt += 1) {
      const pauseMs = Math.min(RECONNECT_PAUSE_MS_MIN * 2 ** Math.min(attempt, 10), RECONNECT_PAUSE_MS_MAX);
      const jitter = 0.5 + this.#deps.random.next() / 2;
      await sleep(this.#deps.clock, pauseMs * jitter, this.#closing).catch(() => undefined);
      if (this.#isOn && !this.#closing.aborted) {
        await this.#tryOnce();
      }
    }
  }
}
