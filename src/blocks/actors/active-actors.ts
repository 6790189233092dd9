import { type ActorHost, type ActorRef, actorKey, DEACTIVATION_LOST, DeactivationError } from "../../app/actor-host.ts";
import { type CancelSignal, NEVER_CANCELLED } from "../../kit/cancel-signal.ts";
import type { Clock } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import { ActiveActor, type ActorHome, type Wait } from "./active-actor.ts";
import { checkNameLengths } from "./actor-name.ts";
import { AppMemory } from "./app-memory.ts";
import { type CutOffTurns, endOf } from "./cut-off-turns.ts";
import {
  ACTIVE_ACTORS_MAX,
  BUSY_CHECK_MS,
  CUT_OFF_ANSWER_MS,
  CUT_OFF_NOTICE_MS,
  CUT_OFF_REST_MS,
  DEACTIVATION_REPEATS_MS,
  DEACTIVATION_WAIT_MS,
  FENCE_WAIT_MS,
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
  readonly memory: AppMemory;
  readonly actors: Map<string, ActiveActor>;
}

export interface ActiveActorsOptions {
  /** `ACTIVE_ACTORS_MAX` where it is not given. */
  readonly countMax?: number;
  readonly observer?: ActorObserver | undefined;
  /** Whether anybody may have written state of the actor before it was asked; never rejects. Undefined: that is so of all. */
  readonly mayBeWritten?: (actor: ActiveActor) => Promise<boolean>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The actors that are active in this sidecar's app, by type: activation, idle time, deactivation. */
export class ActiveActors implements ActorHome {
  readonly #options: ActiveActorsOptions;
  readonly #logger: Logger;
  readonly #types = new Map<string, HostedType>();
  /** Deactivations that the app has not answered, by key. */
  readonly #leaving = new Map<string, Wait>();
  readonly #memories = new WeakMap<ActorHost, AppMemory>();
  #count = 0;
  #isSuspended = false;
  /** Give up what is waited for now. */
  readonly #waits = new Set<() => void>();
  #isClosed = false;

  constructor(options: ActiveActorsOptions) {
    this.#options = options;
    this.#logger = options.logger.scope("dapr.runtime.actors.targets.app");
  }

  register({ types, host, mayRemember = false }: HostedActors): void {
    const memory = this.#memories.get(host) ?? new AppMemory({ isOlder: mayRemember });
    this.#memories.set(host, memory);
    for (const [type, settings] of types) {
      if (!this.#types.has(type)) {
        this.#options.observer?.pendingCalls(type, 0);
      }
      this.#types.set(type, {
        settings,
        host,
        memory,
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

  /** Undefined when it is not active, or not yet. */
  find({ type, id }: ActorRef): ActiveActor | undefined {
    const actor = this.#types.get(type)?.actors.get(id);
    return actor?.arrival === undefined ? actor : undefined;
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
   * The actor, activated where it was not. Waits for a deactivation of the same actor that is under way, or that has to
   * come first.
   * @throws NotHostedError, ActorLimitError, ActorNameError, the signal's reason, why the app cannot be told to forget it
   */
  async activate(
    ref: ActorRef,
    signal: CancelSignal = NEVER_CANCELLED,
  ): Promise<{ readonly actor: ActiveActor; readonly type: HostedType }> {
    const leaving = this.#leaving.size === 0 ? undefined : this.#leaving.get(actorKey(ref));
    if (leaving !== undefined) {
      await this.#waited(ref, leaving, signal);
    }
    const type = this.#types.get(ref.type);
    if (this.#isSuspended) {
      throw new NotHostedError("failed to create actor: actor hosting is suspended: no actor state store configured");
    }
    if (type === undefined) {
      throw new NotHostedError(`failed to create actor: actor type ${ref.type} not registered`);
    }
    const actor = type.actors.get(ref.id) ?? this.#create(ref, type);
    if (actor.arrival !== undefined) {
      await this.#waited(ref, actor.arrival, signal);
    }
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

  async #waited(ref: ActorRef, wait: Wait, signal: CancelSignal): Promise<void> {
    if (wait.waiting >= MAILBOX_LENGTH_MAX) {
      throw mailboxFull(actorKey(ref));
    }
    if (signal.aborted) {
      throw signal.reason;
    }
    wait.waiting += 1;
    const cancelled = Promise.withResolvers<never>();
    const onAbort = (): void => cancelled.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await Promise.race([wait.over, cancelled.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
      wait.waiting -= 1;
    }
  }

  /** Nothing is waited for any more. */
  close(): void {
    this.#isClosed = true;
    for (const giveUp of this.#waits) {
      giveUp();
    }
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
    if (type.memory.mayHold(actorKey(ref))) {
      const over = this.#arrive(type, actor);
      // Whoever waits for it hears of a failure; nobody need wait any more.
      over.catch(() => undefined);
      actor.arrival = { over, waiting: 0 };
    }
    return actor;
  }

  /**
   * What the app remembers of an earlier activation would count as read by this one, and no fence could tell: it has to
   * forget it first, if anybody has written since, for all that can be known.
   * @throws why the app cannot be reached; then the actor is not active
   */
  async #arrive(type: HostedType, actor: ActiveActor): Promise<void> {
    const store = { hasNothing: false };
    const looked = this.#options.mayBeWritten?.(actor).then((written) => void (store.hasNothing = !written));
    await this.#within(looked ?? Promise.resolve(), FENCE_WAIT_MS);
    if (!store.hasNothing && !actor.isClosed) {
      this.#logger.debug(
        `The app may remember actor ${actorKey(actor)} from an earlier activation: deactivating it first`,
      );
      const app: { failure: unknown } = { failure: undefined };
      const told = this.#tell(type.host, actor).then((failure) => void (app.failure = failure));
      await this.#within(told, CUT_OFF_REST_MS);
      const { failure } = app;
      if (isLost(failure)) {
        this.#remove(type, actor);
        throw failure.cause instanceof Error ? failure.cause : failure;
      }
    }
    actor.arrival = undefined;
  }

  #watchIdle(type: HostedType, actor: ActiveActor, delayMs: number): void {
    const { clock } = this.#options;
    actor.idleTimer = clock.after(Math.min(delayMs, TIMER_DELAY_MS_MAX), () => {
      const nowMs = clock.monotonicMs();
      if (!actor.turns.isIdle || actor.arrival !== undefined) {
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
    this.#remove(type, actor);
    const { cutOff } = actor;
    const told = cutOff === undefined ? this.#deactivate(type, actor) : this.#tellLate(type, actor, cutOff);
    // What the app has in memory of the actor would count as read by its next activation there: it has to be told first.
    const over: Promise<unknown> = cutOff === undefined ? this.#within(told, CUT_OFF_REST_MS) : told;
    this.#leaving.set(key, { over: over.then(() => void this.#leaving.delete(key)), waiting: 0 });
    return cutOff === undefined ? this.#within(told, DEACTIVATION_WAIT_MS).then(() => undefined) : Promise.resolve();
  }

  #remove({ actors }: HostedType, actor: ActiveActor): void {
    if (!actor.isClosed) {
      actor.close();
      actors.delete(actor.id);
      this.#count -= 1;
    }
  }

  /**
   * What an app does for a call that was cut off would count as done by the actor's next activation in it: Dapr's API does
   * not say which turn a state call belongs to. So there is none before the app has answered, or has had its time.
   */
  async #tellLate(type: HostedType, actor: ActiveActor, cutOff: CutOffTurns): Promise<void> {
    const app = { isDone: false };
    const done = cutOff.ended().then(() => void (app.isDone = true));
    if (!(await this.#within(done, CUT_OFF_ANSWER_MS)) && type.host.knowsEnds !== true) {
      cutOff.abort();
      await this.#pause(CUT_OFF_NOTICE_MS);
    }
    await this.#within(this.#deactivate(type, actor), DEACTIVATION_WAIT_MS);
    if (!app.isDone) {
      this.#logger.warn(
        `The app has not answered a call of actor ${actorKey(actor)} that was cut off; until it is known to be over, at most ${CUT_OFF_REST_MS / 1_000}s, the actor is not activated in it again`,
      );
      await this.#within(done, CUT_OFF_REST_MS);
      cutOff.abort();
      // The turn may have put back into the app's memory what the deactivation had taken from it.
      await this.#within(this.#deactivate(type, actor), CUT_OFF_REST_MS);
    }
  }

  /** @returns false when it took too long, or nothing is waited for any more */
  #within(work: Promise<void>, limitMs: number): Promise<boolean> {
    if (this.#isClosed) {
      return Promise.resolve(false);
    }
    return new Promise((resolve) => {
      const end = (inTime: boolean): void => {
        timer.cancel();
        this.#waits.delete(giveUp);
        resolve(inTime);
      };
      const giveUp = (): void => end(false);
      const timer = this.#options.clock.after(limitMs, giveUp);
      this.#waits.add(giveUp);
      void work.then(() => end(true));
    });
  }

  #pause(delayMs: number): Promise<boolean> {
    return this.#within(new Promise(() => undefined), delayMs);
  }

  /** Resolves when the app has answered, or cannot be reached. */
  async #deactivate({ host, memory }: HostedType, actor: ActiveActor): Promise<void> {
    const { observer } = this.#options;
    const key = actorKey(actor);
    const failure = await this.#tell(host, actor);
    if (failure === undefined) {
      observer?.deactivated(actor.type);
      this.#logger.debug(`Deactivated actor '${key}'`);
    } else {
      observer?.deactivationFailed(actor.type);
      const level = failure instanceof DeactivationError ? "error" : "warn";
      this.#logger[level](`Failed to halt actor ${key}: ${errorMessage(failure)}`);
    }
    memory[isLost(failure) ? "missed" : "forgot"](key);
  }

  /** Until the app has answered, or could not be reached several times. @returns what failed last */
  async #tell(host: ActorHost, { type, id }: ActorRef): Promise<unknown> {
    for (const delayMs of [...DEACTIVATION_REPEATS_MS, undefined]) {
      try {
        await host.deactivate(type, id);
        return undefined;
      } catch (error) {
        if (delayMs === undefined || !isLost(error) || this.#isClosed) {
          return error;
        }
        await this.#pause(delayMs);
      }
    }
    return undefined;
  }
}

/** Whether the app may not have heard of a deactivation. */
function isLost(failure: unknown): failure is DeactivationError {
  return failure instanceof DeactivationError && failure.reason === DEACTIVATION_LOST;
}
