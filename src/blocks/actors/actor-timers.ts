import { type ActorRef, type ActorTickCall, actorKey, TicksCancelledError } from "../../app/actor-host.ts";
import type { Clock, Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import { addIsoDuration } from "../../kit/iso-duration.ts";
import type { Logger } from "../../kit/logger.ts";
import type { ActiveActors } from "./active-actors.ts";
import { checkNameLengths } from "./actor-name.ts";
import { TIMER_DELAY_MS_MAX } from "./limits.ts";
import { parseTickTimes, type TickTexts, type TickTimes } from "./tick-times.ts";
import { TimerQuota } from "./timer-quota.ts";
import type { ActorObserver } from "./types.ts";

/** A timer as its actor asks for it. */
export interface TimerRequest extends ActorRef, TickTexts {
  readonly name: string;
  readonly callback: string;
  /** JSON text; undefined: none. */
  readonly data: Uint8Array | undefined;
}

export interface ActorTimersOptions {
  readonly active: ActiveActors;
  /** Brings a tick to its actor, wherever that is by now. */
  readonly fire: (tick: ActorTickCall) => Promise<void>;
  readonly observer?: ActorObserver | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Running {
  readonly key: string;
  readonly tick: ActorTickCall;
  readonly times: TickTimes;
  nextMs: number;
  ticksLeft: number | undefined;
  timer: Timer | undefined;
}

/** Timers of actors, in the memory of the sidecar in which they were made. A tick follows the end of the one before. */
export class ActorTimers {
  readonly #options: ActorTimersOptions;
  readonly #logger: Logger;
  readonly #timers = new Map<string, Running>();
  readonly #counts = new Map<string, number>();
  readonly #quota = new TimerQuota();
  #closed = false;

  constructor(options: ActorTimersOptions) {
    this.#options = options;
    this.#logger = options.logger.scope("dapr.runtime.actors.timers.inmemory");
  }

  /** Takes the place of a timer of the same name. @throws Error in Dapr's words, ActorLimitError, ActorNameError */
  create(request: TimerRequest): void {
    const { active, clock } = this.#options;
    if (!active.isHosted(request.type)) {
      throw new Error(`can't create timer for actor ${actorKey(request)}: actor type not registered`);
    }
    checkNameLengths(request, request.name);
    const key = keyOf(request, request.name);
    const times = parseTickTimes(request, key, clock.now());
    if (times.expiresMs !== undefined && times.dueMs >= times.expiresMs) {
      this.delete(request, request.name);
      this.#logger.info(`Timer ${key} has expired`);
      return;
    }
    const { type, id, name, dueTime, period, callback, data } = request;
    this.#quota.check(request, data, this.#timers.get(key)?.tick);
    this.delete(request, name);
    this.#quota.take(request, data);
    const tick = {
      kind: "timer",
      type,
      id,
      name,
      dueTime,
      period,
      callback,
      data,
      expiresMs: times.expiresMs,
    } as const;
    const running = { key, tick, times, nextMs: times.dueMs, ticksLeft: times.ticks, timer: undefined };
    this.#timers.set(key, running);
    this.#count(type, 1);
    this.#arm(running);
  }

  /** Nothing happens when there is no such timer. */
  delete(ref: ActorRef, name: string): void {
    const running = this.#timers.get(keyOf(ref, name));
    if (running !== undefined) {
      this.#remove(running);
    }
  }

  close(): void {
    this.#closed = true;
    for (const running of this.#timers.values()) {
      running.timer?.cancel();
    }
    this.#timers.clear();
  }

  #arm(running: Running): void {
    const { clock } = this.#options;
    const delayMs = Math.max(0, running.nextMs - clock.now());
    running.timer = clock.after(Math.min(delayMs, TIMER_DELAY_MS_MAX), () => {
      if (delayMs > TIMER_DELAY_MS_MAX) {
        this.#arm(running);
      } else {
        void this.#fire(running);
      }
    });
  }

  async #fire(running: Running): Promise<void> {
    const { fire, observer } = this.#options;
    const { type } = running.tick;
    let cancelled = false;
    try {
      await fire(running.tick);
      observer?.timerFired(type, true);
    } catch (error) {
      observer?.timerFired(type, false);
      cancelled = error instanceof TicksCancelledError;
      if (!this.#closed && !cancelled) {
        this.#logger.error(`Error executing timer: ${errorMessage(error)}`);
      }
    }
    if (this.#timers.get(running.key) === running) {
      this.#next(running, cancelled);
    }
  }

  #next(running: Running, cancelled: boolean): void {
    const { period, expiresMs } = running.times;
    if (running.ticksLeft !== undefined) {
      running.ticksLeft -= 1;
    }
    if (cancelled || period === undefined || running.ticksLeft === 0) {
      this.#logger.info(`Timer ${running.key} has been completed`);
      this.#remove(running);
      return;
    }
    running.nextMs = addIsoDuration(running.nextMs, period);
    if (expiresMs !== undefined && running.nextMs >= expiresMs) {
      this.#logger.info(`Timer ${running.key} has expired`);
      this.#remove(running);
      return;
    }
    this.#arm(running);
  }

  #remove(running: Running): void {
    running.timer?.cancel();
    this.#timers.delete(running.key);
    this.#quota.give(running.tick, running.tick.data);
    this.#count(running.tick.type, -1);
  }

  #count(type: string, change: 1 | -1): void {
    const count = (this.#counts.get(type) ?? 0) + change;
    this.#counts.set(type, count);
    this.#options.observer?.timers(type, count);
  }
}

function keyOf(ref: ActorRef, name: string): string {
  return `${actorKey(ref)}||${name}`;
}
