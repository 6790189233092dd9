import { type ActorRef, actorKey } from "../../app/actor-host.ts";
import { isTruthy } from "../../components/spi/metadata.ts";
import type { RequestMetadata, StateItem, StateOperation, StateStore } from "../../components/spi/state.ts";
import { actorErrors } from "../../errors/catalogue/actors.ts";
import { ApiError, apiError } from "../../errors/error.ts";
import type { ComponentView, Loaded } from "../../inventory/types.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import { type ComponentPolicies, guarded, PoliciesByName } from "../component-policy.ts";
import type { ActiveActors } from "./active-actors.ts";
import type { OwnershipGate } from "./ownership-gate.ts";

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
  readonly gate: OwnershipGate;
  /** Told when there is a store, or there is none any more. */
  readonly onStoreChange: (available: boolean) => void;
  readonly logger: Logger;
}

const NOT_USABLE = `actors: state store does not exist or incorrectly configured. Have you set the property '{"name": "actorStateStore", "value": "true"}' in your state store component file?`;

/**
 * The state of actors, in the one store that says `actorStateStore: true`, under Dapr's keys. `#commit` is where every
 * write goes through.
 */
export class ActorState {
  readonly #options: ActorStateOptions;
  readonly #policies: PoliciesByName;
  #store: Loaded<StateStore> | undefined;
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
   * @throws ApiError ERR_ACTOR_RUNTIME_NOT_FOUND without a store, ERR_ACTOR_STATE_GET
   */
  async get(ref: ActorRef, key: string, signal?: CancelSignal): Promise<StateItem | undefined> {
    const { appId } = this.#options;
    try {
      return await this.#settled(ref, signal, async () => {
        const { name, component } = this.#requireStore();
        const actor = `${appId}||${actorKey(ref)}`;
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
   * ERR_ACTOR_STATE_TRANSACTION_SAVE
   */
  async transact(ref: ActorRef, operations: readonly ActorStateOperation[], signal?: CancelSignal): Promise<void> {
    try {
      await this.#settled(ref, signal, async () => {
        if (!this.#options.active.isActive(ref)) {
          throw apiError(actorErrors.instanceMissing, {});
        }
        const actor = `${this.#options.appId}||${actorKey(ref)}`;
        const metadata = { partitionKey: actor };
        await this.#commit(
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

  async #commit(operations: readonly StateOperation[], metadata: RequestMetadata): Promise<void> {
    const { name, component } = this.#requireStore();
    await component.learnTransactionLimit?.();
    const { transactionOperationsMax: max } = component;
    if (max !== undefined && max > 0 && operations.length > max) {
      throw new Error("the transaction contains more operations than supported by the state store");
    }
    await guarded(this.#policies.of(name), async () => await component.transact?.(operations, metadata));
  }

  #stored(operation: ActorStateOperation, prefix: string, metadata: RequestMetadata): StateOperation {
    if (operation.kind === "invalid") {
      throw new Error(operation.reason);
    }
    if (operation.key === "") {
      throw new Error("missing key");
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
  async #settled<T>(ref: ActorRef, signal: CancelSignal | undefined, work: () => Promise<T>): Promise<T> {
    const { active, gate } = this.#options;
    if (active.isActive(ref)) {
      return await work();
    }
    const claim = await gate.claim(ref.type, signal);
    try {
      return await work();
    } finally {
      claim.release();
    }
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
    this.#store = wanted ? loaded : undefined;
    if (wanted) {
      logger.scope("dapr.runtime.processor.state").info(`Using '${name}' as actor state store`);
    }
    if (before !== wanted) {
      onStoreChange(wanted);
    }
  }
}

function isActorStore({ metadata }: Loaded<StateStore>): boolean {
  return Object.entries(metadata).some(
    ([name, value]) => name.toLowerCase() === "actorstatestore" && isTruthy(String(value)),
  );
}
