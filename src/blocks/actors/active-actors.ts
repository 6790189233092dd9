import { type ActorHost, type ActorRef, actorKey, DeactivationError } from "../../app/actor-host.ts";
import type { Clock } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import { ActiveActor } from "./active-actor.ts";
import { ACTIVE_ACTORS_MAX, BUSY_CHECK_MS, DEACTIVATION_WAIT_MS, TIMER_DELAY_MS_MAX } from "./limits.ts";
import { ActorLimitError } from "./ownership-gate.ts";
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

export interface ActiveActorsOptions {
  readonly observer?: ActorObserver | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The actors that are active in this sidecar's app, by type: activation, idle time, deactivation. */
export class ActiveActors {
  readonly #options: ActiveActorsOptions;
  readonly #logger: Logger;
  readonly #types = new Map<string, HostedType>();
  /** Deactivations that the app has not answered, by key. */
  readonly #leaving = new Map<string, Promise<void>>();
  #count = 0;
  #isSuspended = false;

  constructor(options: ActiveActorsOptions) {
    this.#options = options;
    this.#logger = options.logger.scope("dapr.runtime.actors.targets.app");
  }

  register({ types, host }: HostedActors): void {
    for (const [type, settings] of types) {
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

  isActive({ type, id }: ActorRef): boolean {
    return this.#types.get(type)?.actors.has(id) === true;
  }

  counts(): readonly ActiveActorsCount[] {
    return [...this.#types].map(([type, { actors }]) => ({ type, count: actors.size }));
  }

  /**
   * The actor, activated where it was not. Waits for a deactivation of the same actor that is under way.
   * @throws NotHostedError, ActorLimitError
   */
  async activate(ref: ActorRef): Promise<{ readonly actor: ActiveActor; readonly type: HostedType }> {
    const leaving = this.#leaving.get(actorKey(ref));
    if (leaving !== undefined) {
      await leaving;
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
          this.#options.observer?.rebalanced(actor.type);
          halted.push(this.#halt(type, actor));
        }
      }
    }
    await Promise.all(halted);
  }

  #create(ref: ActorRef, type: HostedType): ActiveActor {
    if (this.#count >= ACTIVE_ACTORS_MAX) {
      throw new ActorLimitError(
        `${ACTIVE_ACTORS_MAX} actors are active in this sidecar, which is the limit; shorten actorIdleTimeout or add replicas`,
      );
    }
    const actor = new ActiveActor(ref, type.settings);
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
      return this.#leaving.get(key) ?? Promise.resolve();
    }
    actor.close();
    type.actors.delete(actor.id);
    this.#count -= 1;
    const answered = this.#deactivate(type.host, actor);
    const left = Promise.withResolvers<void>();
    const end = (): void => {
      timer.cancel();
      this.#leaving.delete(key);
      left.resolve();
    };
    const timer = this.#options.clock.after(DEACTIVATION_WAIT_MS, end);
    void answered.then(end);
    this.#leaving.set(key, left.promise);
    return left.promise;
  }

  async #deactivate(host: ActorHost, actor: ActiveActor): Promise<void> {
    const { observer } = this.#options;
    try {
      await host.deactivate(actor.type, actor.id);
      observer?.deactivated(actor.type);
      this.#logger.debug(`Deactivated actor '${actorKey(actor)}'`);
    } catch (error) {
      observer?.deactivationFailed(actor.type);
      const level = error instanceof DeactivationError ? "error" : "warn";
      this.#logger[level](`Failed to halt actor ${actorKey(actor)}: ${errorMessage(error)}`);
    }
  }
}
