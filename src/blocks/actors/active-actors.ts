import { type ActorHost, type ActorRef, actorKey, DEACTIVATION_LOST, DeactivationError } from "../../app/actor-host.ts";
import { Cancellation, type CancelSignal, NEVER_CANCELLED } from "../../kit/cancel-signal.ts";
import { type Clock, sleep } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import { ActiveActor, type ActorHome } from "./active-actor.ts";
import { checkNameLengths } from "./actor-name.ts";
import { type CutOffTurns, endOf } from "./cut-off-turns.ts";
import {
  ACTIVE_ACTORS_MAX,
  BUSY_CHECK_MS,
  CUT_OFF_ANSWER_MS,
  CUT_OFF_NOTICE_MS,
  CUT_OFF_REST_MS,
  DEACTIVATION_REPEATS_MS,
  DEACTIVATION_WAIT_MS,
  HANG_UP_ANSWER_MS,
  MAILBOX_LENGTH_MAX,
  TIMER_DELAY_MS_MAX,
} from "./limits.ts";
import { ActorLimitError } from "./ownership-gate.ts";
import { mailboxFull } from "./turn-queue.ts";
import type { ActiveActorsCount, ActorObserver, ActorTypeSettings, HostedActors } from "./types.ts";

/** This sidecar does not host actors of the type (any more). */
export class NotHostedError extends Error {
  override readonly name = "NotHostedError";
}

interface HostedType {
  readonly settings: ActorTypeSettings;
  readonly host: ActorHost;
  readonly actors: Map<string, ActiveActor>;
}

/** An actor that the app has not let go of. */
interface Leaving {
  readonly over: Promise<void>;
  /** Calls that want it to be active again. */
  waiting: number;
}

export interface ActiveActorsOptions {
  /** `ACTIVE_ACTORS_MAX` where it is not given. */
  readonly countMax?: number;
  readonly observer?: ActorObserver | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The actors that are active in this sidecar's app, by type: activation, idle time, deactivation. */
export class ActiveActors implements ActorHome {
  readonly #options: ActiveActorsOptions;
  readonly #logger: Logger;
  readonly #types = new Map<string, HostedType>();
  /** Deactivations that the app has not answered, by key. */
  readonly #leaving = new Map<string, Leaving>();
  #count = 0;
  #isSuspended = false;
  readonly #closing = new Cancellation();

  constructor(options: ActiveActorsOptions) {
    this.#options = options;
    this.#logger = options.logger.scope("dapr.runtime.actors.targets.app");
  }

  register({ types, host }: HostedActors): void {
    for (const [type, settings] of types) {
      if (!this.#types.has(type)) {
        this.#options.observer?.pendingCalls(type, 0);
      }
      this.#types.set(type, {
        settings,
        host,
        actors: this.#types.get(type)?.actors ?? new Map<string, ActiveActor>(),
      });
    }
  }

  /** Forgets all types; resolves when their actors are deactivated. */
  async unregister(): Promise<void> {
    const types = [...this.#types.values()];
    this.#types.clear();
    await Promise.all(types.flatMap((type) => [...type.actors.values()].map((actor) => this.#halt(type, actor))));
  }

  /** Without a state store nothing is hosted, whatever is registered. */
  set suspended(suspended: boolean) {
    this.#isSuspended = suspended;
  }

  get types(): readonly string[] {
    return this.#isSuspended ? [] : [...this.#types.keys()];
  }

  isHosted(type: string): boolean {
    return !this.#isSuspended && this.#types.has(type);
  }

  isActive(ref: ActorRef): boolean {
    return this.find(ref) !== undefined;
  }

  /** Undefined when it is not active. */
  find({ type, id }: ActorRef): ActiveActor | undefined {
    return this.#types.get(type)?.actors.get(id);
  }

  /** The activation is over when its turn is, which fails with the error; those that wait come to the next activation. */
  fail(actor: ActiveActor, error: Error): void {
    const type = this.#types.get(actor.type);
    if (type !== undefined) {
      actor.fail(error, () => void this.#halt(type, actor));
    }
  }

  endsSoon(work: Promise<unknown>): Promise<boolean> {
    return this.#within(endOf(work), HANG_UP_ANSWER_MS);
  }

  retire(actor: ActiveActor): void {
    const type = this.#types.get(actor.type);
    if (type !== undefined) {
      void this.#halt(type, actor);
    }
  }

  counts(): readonly ActiveActorsCount[] {
    return [...this.#types].map(([type, { actors }]) => ({ type, count: actors.size }));
  }

  /**
   * The actor, activated where it was not. Waits for a deactivation of the same actor that is under way.
   * @throws NotHostedError, ActorLimitError, ActorNameError, the signal's reason
   */
  async activate(
    ref: ActorRef,
    signal: CancelSignal = NEVER_CANCELLED,
  ): Promise<{ readonly actor: ActiveActor; readonly type: HostedType }> {
    const leaving = this.#leaving.get(actorKey(ref));
    if (leaving !== undefined) {
      await this.#left(ref, leaving, signal);
    }
    const type = this.#types.get(ref.type);
    if (this.#isSuspended) {
      throw new NotHostedError("failed to create actor: actor hosting is suspended: no actor state store configured");
    }
    if (type === undefined) {
      throw new NotHostedError(`failed to create actor: actor type ${ref.type} not registered`);
    }
    const actor = type.actors.get(ref.id) ?? this.#create(ref, type);
    actor.idleAtMs = this.#options.clock.monotonicMs() + type.settings.idleMs;
    return { actor, type };
  }

  /** Deactivates those that `keep` is not true for; resolves when the app has answered, or has taken too long. */
  async halt(keep: (ref: ActorRef) => boolean): Promise<void> {
    const halted: Promise<void>[] = [];
    for (const type of this.#types.values()) {
      for (const actor of type.actors.values()) {
        if (!keep(actor)) {
          halted.push(this.#halt(type, actor));
        }
      }
    }
    await Promise.all(halted);
  }

  async #left(ref: ActorRef, leaving: Leaving, signal: CancelSignal): Promise<void> {
    if (leaving.waiting >= MAILBOX_LENGTH_MAX) {
      throw mailboxFull(actorKey(ref));
    }
    if (signal.aborted) {
      throw signal.reason;
    }
    leaving.waiting += 1;
    const cancelled = Promise.withResolvers<never>();
    const onAbort = (): void => cancelled.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([leaving.over, cancelled.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
      leaving.waiting -= 1;
    }
  }

  /** Nothing is waited for any more. */
  close(): void {
    this.#closing.abort(new Error("the sidecar is stopping"));
  }

  #create(ref: ActorRef, type: HostedType): ActiveActor {
    const { countMax = ACTIVE_ACTORS_MAX } = this.#options;
    checkNameLengths(ref);
    if (this.#count >= countMax) {
      throw new ActorLimitError(
        `${countMax} actors are active in this sidecar, which is the limit; shorten actorIdleTimeout or add replicas`,
      );
    }
    const actor = new ActiveActor(ref, type.settings, this);
    type.actors.set(ref.id, actor);
    this.#count += 1;
    this.#watchIdle(type, actor, type.settings.idleMs);
    return actor;
  }

  #watchIdle(type: HostedType, actor: ActiveActor, delayMs: number): void {
    const { clock } = this.#options;
    actor.idleTimer = clock.after(Math.min(delayMs, TIMER_DELAY_MS_MAX), () => {
      const nowMs = clock.monotonicMs();
      if (!actor.turns.isIdle) {
        actor.idleAtMs = nowMs + Math.max(type.settings.idleMs, BUSY_CHECK_MS);
      }
      if (actor.idleAtMs > nowMs) {
        this.#watchIdle(type, actor, actor.idleAtMs - nowMs);
        return;
      }
      this.#logger.debug(`Actor ${actorKey(actor)} is idle, deactivating`);
      void this.#halt(type, actor);
    });
  }

  #halt(type: HostedType, actor: ActiveActor): Promise<void> {
    const key = actorKey(actor);
    if (actor.isClosed) {
      return this.#leaving.get(key)?.over ?? Promise.resolve();
    }
    this.#options.observer?.rebalanced(actor.type);
    actor.close();
    type.actors.delete(actor.id);
    this.#count -= 1;
    const { cutOff } = actor;
    const told = cutOff === undefined ? this.#deactivate(type.host, actor) : this.#tellLate(type.host, actor, cutOff);
    // What the app has in memory of the actor would count as read by its next activation there: it has to be told first.
    const over = cutOff === undefined ? this.#rest(told) : told;
    this.#leaving.set(key, { over: over.then(() => void this.#leaving.delete(key)), waiting: 0 });
    return cutOff === undefined ? this.#within(told, DEACTIVATION_WAIT_MS).then(() => undefined) : Promise.resolve();
  }

  /**
   * What an app does for a call that was cut off would count as done by the actor's next activation in it: Dapr's API does
   * not say which turn a state call belongs to. So there is none before the app has answered, or has had its time.
   */
  async #tellLate(host: ActorHost, actor: ActiveActor, cutOff: CutOffTurns): Promise<void> {
    const app = { isDone: false };
    const done = cutOff.ended().then(() => void (app.isDone = true));
    if (!(await this.#within(done, CUT_OFF_ANSWER_MS)) && host.knowsEnds !== true) {
      cutOff.abort();
      await sleep(this.#options.clock, CUT_OFF_NOTICE_MS);
    }
    await this.#within(this.#deactivate(host, actor), DEACTIVATION_WAIT_MS);
    if (!app.isDone) {
      this.#logger.warn(
        `The app has not answered a call of actor ${actorKey(actor)} that was cut off; until it is known to be over, at most ${CUT_OFF_REST_MS / 1_000}s, the actor is not activated in it again`,
      );
      await this.#rest(done);
      cutOff.abort();
      // The turn may have put back into the app's memory what the deactivation had taken from it.
      await this.#rest(this.#deactivate(host, actor));
    }
  }

  async #rest(ended: Promise<void>): Promise<void> {
    if (this.#closing.aborted) {
      return;
    }
    const over = new Cancellation();
    const end = (): void => over.abort(new Error("the rest is over"));
    this.#closing.addEventListener("abort", end);
    void ended.then(end);
    await sleep(this.#options.clock, CUT_OFF_REST_MS, over).catch(() => undefined);
    this.#closing.removeEventListener("abort", end);
  }

  /** @returns false when it took too long */
  #within(work: Promise<void>, limitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(limitMs, () => resolve(false));
      void work.then(() => {
        timer.cancel();
        resolve(true);
      });
    });
  }

  /** Resolves when the app has answered, or cannot be reached. */
  async #deactivate(host: ActorHost, actor: ActiveActor): Promise<void> {
    const { observer, clock } = this.#options;
    for (const delayMs of [...DEACTIVATION_REPEATS_MS, undefined]) {
      try {
        await host.deactivate(actor.type, actor.id);
        observer?.deactivated(actor.type);
        this.#logger.debug(`Deactivated actor '${actorKey(actor)}'`);
        return;
      } catch (error) {
        const isLost = error instanceof DeactivationError && error.reason === DEACTIVATION_LOST;
        if (delayMs === undefined || !isLost || this.#closing.aborted) {
          observer?.deactivationFailed(actor.type);
          const level = error instanceof DeactivationError ? "error" : "warn";
          this.#logger[level](`Failed to halt actor ${actorKey(actor)}: ${errorMessage(error)}`);
          return;
        }
        await sleep(clock, delayMs);
      }
    }
  }
}
