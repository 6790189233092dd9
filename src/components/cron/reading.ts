import type { Timer } from "../../kit/clock.ts";
import type { CronSchedule } from "../../kit/cron.ts";
import type { BindingHandler, BindingReading } from "../spi/bindings.ts";
import type { ComponentDeps } from "../spi/component.ts";

/** Events of one schedule that may be under way at once; further moments pass with a warning. */
const EVENTS_UNDER_WAY_MAX = 100;
/** Milliseconds of one wait. Timers end at 24.8 days, and waking up now and then follows a clock that was set. */
const WAIT_MS_MAX = 3_600_000;

const NO_DATA = new Uint8Array(0);

/** Waits for one moment after the other. A slow handler holds nothing up: the next moment's event goes out beside it. */
export class CronReading implements BindingReading {
  readonly #schedule: CronSchedule;
  readonly #handler: BindingHandler;
  readonly #deps: ComponentDeps;
  readonly #underWay = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  #timer: Timer | undefined;
  #closed = false;

  constructor(schedule: CronSchedule, handler: BindingHandler, deps: ComponentDeps) {
    this.#schedule = schedule;
    this.#handler = handler;
    this.#deps = deps;
    this.#plan();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await Promise.all(this.#underWay);
  }

  #plan(): void {
    const { clock, logger, name } = this.#deps;
    const dueMs = this.#schedule.next(clock.now());
    if (dueMs === undefined) {
      logger.warn(`the schedule of binding ${name} is never due`);
      return;
    }
    this.#waitUntil(dueMs);
  }

  #waitUntil(dueMs: number): void {
    const { clock } = this.#deps;
    const leftMs = dueMs - clock.now();
    this.#timer = clock.after(Math.max(0, Math.min(leftMs, WAIT_MS_MAX)), () => {
      if (clock.now() < dueMs) {
        this.#waitUntil(dueMs);
        return;
      }
      this.#fire();
      if (!this.#closed) {
        this.#plan();
      }
    });
  }

  #fire(): void {
    const { clock, logger, name } = this.#deps;
    if (this.#underWay.size >= EVENTS_UNDER_WAY_MAX) {
      logger.warn(
        `binding ${name} is due, but ${EVENTS_UNDER_WAY_MAX} of its events are under way, which is the limit; this one is left out`,
      );
      return;
    }
    const metadata = { timeZone: "Local", readTimeUTC: goTime(clock.now()) };
    const settled = this.#handler({ data: NO_DATA, metadata, contentType: undefined }, this.#abort.signal).then(
      () => undefined,
      // The handler has logged what went wrong, and a moment cannot be given back.
      () => undefined,
    );
    this.#underWay.add(settled);
    void settled.then(() => this.#underWay.delete(settled));
  }
}

/** As Go prints a time in UTC. */
function goTime(ms: number): string {
  const [date = "", time = ""] = new Date(ms).toISOString().split("T");
  return `${date} ${time.replace(/\.?0*Z$/, "")} +0000 UTC`;
}
