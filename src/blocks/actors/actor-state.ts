import { type ActorRef, actorKey } from "../../app/actor-host.ts";
import type { StateItem, StateOperation, StateStore } from "../../components/spi/state.ts";
import type { RequestMetadata } from "../../components/spi/request-metadata.ts";
import { actorErrors } from "../../errors/catalogue/actors.ts";
import { ApiError, apiError } from "../../errors/error.ts";
import { isActorStore } from "../../inventory/actor-store.ts";
import type { ComponentView, Loaded } from "../../inventory/types.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import { type ComponentPolicies, guarded, PoliciesByName } from "../component-policy.ts";
import type { ActiveActor } from "./active-actor.ts";
import type { ActiveActors } from "./active-actors.ts";
import { ActorFence, FENCE_KEY, FenceBrokenError } from "./actor-fence.ts";
import { isReservedType } from "./actor-name.ts";
import { type FencedStore, fencedStoreOf, UncertainWriteError } from "./fenced-store.ts";
import type { OwnershipGate } from "./ownership-gate.ts";
import type { ActorObserver, StateRefusal } from "./types.ts";

/** One write; `key` is the actor's own. */
export type ActorStateOperation =
  | {
      readonly kind: "upsert";
      readonly key: string;
      readonly value: Uint8Array;
      readonly valueIsJson: boolean;
      readonly etag: string | undefined;
      readonly metadata: RequestMetadata;
    }
  | { readonly kind: "delete"; readonly key: string; readonly etag: string | undefined }
  /** A door could not make sense of it; the whole transaction fails with the reason. */
  | { readonly kind: "invalid"; readonly reason: string };

export interface ActorStateOptions {
  readonly appId: string;
  readonly stores: ComponentView<StateStore>;
  /** Feature `ActorStateTTL`. */
  readonly ttlEnabled: boolean;
  readonly policies: ComponentPolicies;
  readonly active: ActiveActors;
  readonly gate: Pick<OwnershipGate, "claim">;
  /** Asked just before each commit; undefined: nobody grants leases. */
  readonly lease?: { holds(): boolean } | undefined;
  readonly random: Random;
  readonly observer?: Pick<ActorObserver, "stateRefused"> | undefined;
  /** Told when there is a store, when another one takes its place, and when there is none any more. */
  readonly onStoreChange: (change: "added" | "updated" | "removed", name: string) => void;
  readonly logger: Logger;
}

/** Stores that spread rows keep those of an actor together. */
interface ActorMetadata extends RequestMetadata {
  readonly partitionKey: string;
}

const NOT_USABLE = `actors: state store does not exist or incorrectly configured. Have you set the property '{"name": "actorStateStore", "value": "true"}' in your state store component file?`;

/**
 * The state of actors, in the one store that says `actorStateStore: true`, under Dapr's keys. `#commit` is where every
 * write goes through, and where stores that can are asked to fence it (`actor-fence.ts`).
 */
export class ActorState {
  readonly #options: ActorStateOptions;
  readonly #policies: PoliciesByName;
  #store: Loaded<StateStore> | undefined;
  #fenced: FencedStore | undefined;
  /** Whose place others have taken since there is a store, without a gap. */
  #replaced = new WeakSet<FencedStore>();
  #rival: string | undefined;

  constructor(options: ActorStateOptions) {
    this.#options = options;
    this.#policies = new PoliciesByName(options.policies, "Statestore", "outbound");
    options.stores.watch((name, loaded) => this.#follow(name, loaded));
  }

  get isAvailable(): boolean {
    return this.#store !== undefined;
  }

  /** Why the stores that are loaded cannot all be; undefined when they can. */
  get conflict(): string | undefined {
    return this.#rival === undefined
      ? undefined
      : `detected duplicate actor state store: ${this.#store?.name ?? ""} and ${this.#rival}`;
  }

  /**
   * Reads one key; the actor may be anywhere, active or not.
   * @returns undefined when it does not exist
   * @throws ApiError ERR_ACTOR_RUNTIME_NOT_FOUND without a store, ERR_ACTOR_STATE_GET, or what its activation failed with
   */
  async get(ref: ActorRef, key: string, signal?: CancelSignal): Promise<StateItem | undefined> {
    try {
      return await this.#settled(ref, signal, async (active) => {
        const { name, component } = this.#requireStore();
        const actor = this.#prefixOf(ref);
        const fence = active === undefined ? undefined : this.#fenceOf(active, actor);
        if (active !== undefined && fence?.isKnown === false) {
          await this.#learn(active, fence);
        }
        for (let quiet = fence?.quiet; quiet !== undefined; quiet = fence?.quiet) {
          await quiet;
        }
        const request = { key: `${actor}||${key}`, metadata: { partitionKey: actor }, consistency: "" as const };
        return await guarded(this.#policies.of(name), () => component.get(request));
      });
    } catch (error) {
      throw error instanceof ApiError
        ? error
        : apiError(actorErrors.stateGet, { reason: errorMessage(error) }, { cause: error });
    }
  }

  /**
   * All writes or none, for an actor that is active in this sidecar's app.
   * @throws ApiError ERR_ACTOR_INSTANCE_MISSING for any other, ERR_ACTOR_RUNTIME_NOT_FOUND without a store,
   * ERR_ACTOR_STATE_TRANSACTION_SAVE, ERR_ACTOR_STATE_KEY_RESERVED; ERR_ACTOR_STATE_FENCED and ERR_ACTOR_STATE_UNCERTAIN
   * also end the activation, and its turn fails with them
   */
  async transact(ref: ActorRef, operations: readonly ActorStateOperation[], signal?: CancelSignal): Promise<void> {
    try {
      await this.#settled(ref, signal, async (active) => {
        if (active === undefined) {
          throw apiError(actorErrors.instanceMissing, {});
        }
        const actor = this.#prefixOf(ref);
        const metadata = { partitionKey: actor };
        await this.#commit(
          active,
          operations.map((operation) => this.#stored(operation, `${actor}||`, metadata)),
          metadata,
        );
      });
    } catch (error) {
      throw error instanceof ApiError
        ? error
        : apiError(actorErrors.stateTransaction, { reason: errorMessage(error) }, { cause: error });
    }
  }

  /**
   * Whether anybody may have written state of the actor so far, by its fence row, which this activation learns by it: what
   * it reads from now on is not older. True where that cannot be told, as of a store that cannot fence.
   */
  async mayBeWritten(active: ActiveActor): Promise<boolean> {
    try {
      const fence = this.#fenceOf(active, this.#prefixOf(active));
      if (fence === undefined) {
        return true;
      }
      await this.#learn(active, fence);
      return fence.hasRow;
    } catch {
      return true;
    }
  }

  async #commit(active: ActiveActor, operations: readonly StateOperation[], metadata: ActorMetadata): Promise<void> {
    const { name, component } = this.#requireStore();
    const fence = this.#fenceOf(active, metadata.partitionKey);
    await component.learnTransactionLimit?.();
    const { transactionOperationsMax: max } = component;
    if (max !== undefined && max > 0 && operations.length + (fence === undefined ? 0 : 1) > max) {
      throw new Error("the transaction contains more operations than supported by the state store");
    }
    if (fence === undefined) {
      this.#checkOwned(active);
      active.writes += 1;
      await guarded(this.#policies.of(name), async () => await component.transact?.(operations, metadata));
      return;
    }
    if (!fence.isKnown) {
      await this.#learn(active, fence);
    }
    await fence.begin();
    try {
      this.#checkOwned(active);
      active.writes += 1;
      await fence.commit(operations);
    } catch (error) {
      throw this.#failedCommit(active, error);
    } finally {
      fence.end();
    }
  }

  /** Types of the workflow engine have a row of their own that each of their transactions moves on. */
  #fenceOf(active: ActiveActor, actor: string): ActorFence | undefined {
    active.checkSound();
    const store = this.#fenced;
    if (store === undefined || isReservedType(active.type)) {
      return undefined;
    }
    active.fence ??= new ActorFence(store, actor, this.#options.random.uuid());
    if (active.fence.store !== store) {
      if (!this.#replaced.has(active.fence.store)) {
        throw this.#end(active, "exchange", "the actor state store has been exchanged");
      }
      active.fence = active.fence.movedTo(store, this.#options.random.uuid());
    }
    return active.fence;
  }

  async #learn(active: ActiveActor, fence: ActorFence): Promise<void> {
    try {
      await fence.learn();
    } catch (error) {
      throw error instanceof FenceBrokenError
        ? this.#end(active, "exchange", "the actor state store has been exchanged for one with another state", error)
        : error;
    }
  }

  /** What was true when the call came need not be any more. */
  #checkOwned(active: ActiveActor): void {
    active.checkSound();
    if (active.isClosed) {
      throw apiError(actorErrors.instanceMissing, {});
    }
    if (this.#options.lease?.holds() === false) {
      throw this.#end(active, "lease", "this sidecar may no longer own the actor");
    }
  }

  #failedCommit(active: ActiveActor, error: unknown): unknown {
    if (error instanceof FenceBrokenError) {
      const reason = "another activation of the actor has written since this one began to read its state";
      return this.#end(active, "fence", reason, error);
    }
    return error instanceof UncertainWriteError ? this.#end(active, "uncertain", error.message, error) : error;
  }

  /** What the app knows of the actor's state cannot be trusted: the activation ends with its turn. */
  #end(active: ActiveActor, refusal: StateRefusal, reason: string, cause?: unknown): ApiError {
    const entry = refusal === "uncertain" ? actorErrors.stateUncertain : actorErrors.stateFenced;
    this.#options.observer?.stateRefused(active.type, refusal);
    const error = apiError(entry, { actor: actorKey(active), reason }, { cause });
    this.#options.logger.scope("dapr.runtime.actors.state").warn(`${entry.code}: ${error.message}`);
    this.#options.active.fail(active, error);
    return error;
  }

  #stored(operation: ActorStateOperation, prefix: string, metadata: RequestMetadata): StateOperation {
    if (operation.kind === "invalid") {
      throw new Error(operation.reason);
    }
    if (operation.key === "") {
      throw new Error("missing key");
    }
    if (operation.key === FENCE_KEY) {
      throw apiError(actorErrors.stateKeyReserved, { key: FENCE_KEY });
    }
    const shared = {
      key: prefix + operation.key,
      etag: operation.etag,
      concurrency: "" as const,
      consistency: "" as const,
    };
    if (operation.kind === "delete") {
      return { kind: "delete", request: { ...shared, metadata } };
    }
    if (!this.#options.ttlEnabled && operation.metadata["ttlInSeconds"] !== undefined) {
      throw new Error('ttlInSeconds is not supported without the "ActorStateTTL" feature enabled');
    }
    const { value, valueIsJson } = operation;
    return {
      kind: "upsert",
      request: { ...shared, value, valueIsJson, metadata: { ...operation.metadata, ...metadata } },
    };
  }

  /**
   * Waits while it is being settled who owns actors of the type. An actor that is active here has not been given up:
   * its turn, which this may be part of, is waited for.
   */
  async #settled<T>(
    ref: ActorRef,
    signal: CancelSignal | undefined,
    work: (active: ActiveActor | undefined) => Promise<T>,
  ): Promise<T> {
    const { active, gate } = this.#options;
    const found = active.find(ref);
    if (found !== undefined) {
      return await work(found);
    }
    const claim = await gate.claim(ref, signal);
    try {
      return await work(active.find(ref));
    } finally {
      claim.release();
    }
  }

  #prefixOf(ref: ActorRef): string {
    return `${this.#options.appId}||${actorKey(ref)}`;
  }

  #requireStore(): Loaded<StateStore> {
    const store = this.#store;
    if (store === undefined) {
      throw apiError(actorErrors.stateStoreMissing, {});
    }
    const capabilities = store.component.capabilities ?? store.manifest.capabilities;
    if (!capabilities.includes("ETAG") || !capabilities.includes("TRANSACTIONAL")) {
      throw new Error(NOT_USABLE);
    }
    return store;
  }

  #follow(name: string, loaded: Loaded<StateStore> | undefined): void {
    const { onStoreChange, logger } = this.#options;
    const wanted = loaded !== undefined && isActorStore(loaded);
    if (this.#store !== undefined && this.#store.name !== name) {
      this.#rival = wanted ? name : this.#rival === name ? undefined : this.#rival;
      return;
    }
    const before = this.#store !== undefined;
    if (this.#fenced !== undefined && wanted) {
      this.#replaced.add(this.#fenced);
    } else if (!wanted) {
      this.#replaced = new WeakSet();
    }
    this.#store = wanted ? loaded : undefined;
    this.#fenced = wanted ? fencedStoreOf(loaded, () => this.#policies.of(name)) : undefined;
    if (wanted) {
      const log = logger.scope("dapr.runtime.processor.state");
      log.info(`Using '${name}' as actor state store`);
      if (this.#fenced === undefined) {
        log.warn(
          `The actor state store '${name}' (${loaded.manifest.type}) cannot fence: a sidecar that has lost an actor without noticing may still write its state`,
        );
      }
    }
    if (before || wanted) {
      onStoreChange(!wanted ? "removed" : before ? "updated" : "added", name);
    }
  }
}
