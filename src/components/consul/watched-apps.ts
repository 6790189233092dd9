import { Cancellation } from "../../kit/cancel-signal.ts";
import { type Clock, sleep } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import { RETRY_MS_MAX, RETRY_MS_MIN, WATCHED_APPS_MAX, WATCH_IDLE_MS } from "./limits.ts";

/** The instances of an app as of an index of the agent's. */
export interface Watched {
  /** Empty: there is none that is healthy. */
  readonly addresses: readonly string[];
  /** From 1; undefined where the agent gives none: there is nothing to wait for then. */
  readonly index: number | undefined;
}

/** Asks the agent for an app's instances, waiting for something newer than `index` where one is given. */
export type AskForApp = (appId: string, index: number | undefined, signal: Cancellation) => Promise<Watched>;

interface WatchedApp {
  readonly cancel: Cancellation;
  /** Undefined: not known, or not any more. */
  addresses: readonly string[] | undefined;
  usedMs: number;
}

/** Follows the instances of the apps that are called, one blocking query each. */
export class WatchedApps {
  readonly #ask: AskForApp;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #apps = new Map<string, WatchedApp>();

  constructor(ask: AskForApp, clock: Clock, logger: Logger) {
    this.#ask = ask;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** The healthy instances as far as they are known; undefined: the agent must be asked. Following begins with the first call. */
  find(appId: string): readonly string[] | undefined {
    const known = this.#apps.get(appId);
    if (known !== undefined) {
      known.usedMs = this.#clock.monotonicMs();
      return known.addresses;
    }
    if (this.#apps.size >= WATCHED_APPS_MAX) {
      this.#dropIdle();
    }
    if (this.#apps.size < WATCHED_APPS_MAX) {
      const app = { cancel: new Cancellation(), addresses: undefined, usedMs: this.#clock.monotonicMs() };
      this.#apps.set(appId, app);
      void this.#follow(appId, app);
    }
    return undefined;
  }

  close(): void {
    for (const appId of this.#apps.keys()) {
      this.#drop(appId);
    }
  }

  async #follow(appId: string, app: WatchedApp): Promise<void> {
    let index: number | undefined;
    let retryMs = RETRY_MS_MIN;
    while (!app.cancel.aborted) {
      if (this.#clock.monotonicMs() - app.usedMs > WATCH_IDLE_MS) {
        this.#drop(appId);
        return;
      }
      try {
        const { addresses, index: next } = await this.#ask(appId, index, app.cancel);
        app.addresses = addresses.length === 0 ? undefined : addresses;
        retryMs = RETRY_MS_MIN;
        // An index that goes back is of an agent that has begun anew.
        index = next === undefined || (index !== undefined && next < index) ? undefined : next;
        if (index === undefined) {
          await sleep(this.#clock, RETRY_MS_MIN, app.cancel);
        }
      } catch (error) {
        if (app.cancel.aborted) {
          return;
        }
        app.addresses = undefined;
        index = undefined;
        this.#logger.error(`consul service-watcher error: ${errorMessage(error)}, retry in ${retryMs} ms`);
        await sleep(this.#clock, retryMs, app.cancel).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
      }
    }
  }

  #dropIdle(): void {
    const now = this.#clock.monotonicMs();
    for (const [appId, { usedMs }] of this.#apps) {
      if (now - usedMs > WATCH_IDLE_MS) {
        this.#drop(appId);
      }
    }
  }

  #drop(appId: string): void {
    this.#apps.get(appId)?.cancel.abort(new Error("it is not followed any more"));
    this.#apps.delete(appId);
  }
}
