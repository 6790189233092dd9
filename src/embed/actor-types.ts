/** When a timer or reminder is due, in texts as Dapr reads them: `10s`, `PT10S`, `R3/PT1M`, or a moment in RFC 3339. */
export interface ActorSchedule {
  /** At once when absent. */
  readonly dueTime?: string;
  /** Absent: once. */
  readonly period?: string;
  readonly ttl?: string;
  /** Anything that JSON can carry. */
  readonly data?: unknown;
}

/** One actor as others see it, wherever it is. */
export interface ActorHandle {
  readonly type: string;
  readonly id: string;
  /**
   * Calls a method and resolves to what it returns; both travel as JSON, and an answer that is none is given as text.
   * @throws ApiError ERR_ACTOR_INVOKE_METHOD with the method's own error, where it is in this process, as the cause of its
   * cause; and whatever a call over the API is answered with
   */
  call<Result = unknown>(method: string, argument?: unknown): Promise<Result>;
}

/** The state of one actor: JSON values, in the store that says `actorStateStore: "true"`. */
export interface ActorStateAccess {
  /** Undefined for a key that is not there. */
  get<Value = unknown>(key: string): Promise<Value | undefined>;
  /** @param ttlSeconds absent: it stays */
  set(key: string, value: unknown, ttlSeconds?: number): Promise<void>;
  delete(key: string): Promise<void>;
  /** All of it or nothing; a value that is undefined deletes its key. */
  save(values: Readonly<Record<string, unknown>>): Promise<void>;
}

/** What an actor is given of the world, from its activation to its deactivation. */
export interface ActorContext {
  readonly type: string;
  readonly id: string;
  readonly state: ActorStateAccess;
  /** Timers live as long as the runtime, and call a method of the actor with their data. */
  readonly timers: {
    /** Takes the place of a timer of the same name. */
    set(name: string, method: string, schedule: ActorSchedule): void;
    delete(name: string): void;
  };
  /** Reminders outlive the runtime, where jobs are kept in a folder, and come to `onReminder`. */
  readonly reminders: {
    /** Takes the place of a reminder of the same name. */
    set(name: string, schedule: ActorSchedule): Promise<void>;
    delete(name: string): Promise<void>;
  };
  /** Another actor. Calls that are made in a turn belong to it, where the type is reentrant. */
  actor(type: string, id: string): ActorHandle;
}

/**
 * A class of actors: an instance for each active actor, whose turns come one after the other. Its public methods can be
 * called, but those whose names begin with `_` or `on`, such as these.
 */
export interface ActorInstance {
  /** Before the first turn; one that fails fails the call, and the next one activates anew. */
  onActivate?(): Promise<void> | void;
  /** The actor was idle, or lives elsewhere from now on. */
  onDeactivate?(): Promise<void> | void;
  onReminder?(name: string, data: unknown): Promise<void> | void;
}

// oxlint-disable-next-line typescript/no-explicit-any -- the methods are the class's own affair
export type ActorClass = new (context: ActorContext) => any;

/** The fields of an app's answer to `GET /dapr/config` about all types, and in `entitiesConfig` about some of them. */
export interface ActorConfig {
  /** `1h` and the like; an hour when absent. */
  readonly actorIdleTimeout?: string;
  readonly drainOngoingCallTimeout?: string;
  readonly drainRebalancedActors?: boolean;
  readonly reentrancy?: { readonly enabled: boolean; readonly maxStackDepth?: number };
  readonly entitiesConfig?: readonly (Omit<ActorConfig, "entitiesConfig"> & { readonly entities: readonly string[] })[];
}
