import type { Binding } from "../components/spi/bindings.ts";
import type { ConfigurationStore } from "../components/spi/configuration.ts";
import type { Conversation } from "../components/spi/conversation.ts";
import type { CryptoProvider } from "../components/spi/crypto.ts";
import type { LockStore } from "../components/spi/lock.ts";
import type { HttpMiddleware } from "../components/spi/middleware.ts";
import type { PubSub } from "../components/spi/pubsub.ts";
import type { SecretStore } from "../components/spi/secret-store.ts";
import type { StateStore } from "../components/spi/state.ts";
import type { Component, ComponentManifest, ComponentMetadata } from "../components/spi/component.ts";
import type { ComponentResource } from "../resources/component.ts";

/** A component that has been initialised, with what its manifest and resource say about it. */
export interface Loaded<T extends Component> {
  /** The resource's `metadata.name`. */
  readonly name: string;
  readonly manifest: ComponentManifest;
  /** `spec.version`, or the version that an empty one stands for. */
  readonly version: string;
  /** Resolved metadata: secrets and environment references filled in. */
  readonly metadata: ComponentMetadata;
  /** For metadata values that came from `secretKeyRef`: field name → the secret's own name. */
  readonly secretNames: Readonly<Record<string, string>>;
  /** A metadata value held the `{namespace}` template: topics of such a broker are prefixed with the namespace. */
  readonly namespaceScoped?: boolean;
  readonly component: T;
}

/** A component as `GET /v1.0/metadata` lists it. */
export interface ComponentInfo {
  readonly name: string;
  /** As written in the resource. */
  readonly type: string;
  /** As written in the resource; empty: none was written. */
  readonly version: string;
  readonly capabilities: readonly string[];
}

/** `waiting`: for its secret store. `failed`: it did not come up and that was ignored; it may be tried again. */
export type Condition = "waiting" | "starting" | "ready" | "degraded" | "failed";

/** How a component is doing, whether it is loaded or not. */
export interface ComponentCondition {
  readonly name: string;
  /** As written in the resource. */
  readonly type: string;
  /** As written in the resource; empty: none was written. */
  readonly version: string;
  readonly condition: Condition;
  /** Empty where there is nothing to explain. */
  readonly reason: string;
  /** When the condition began, in milliseconds since the Unix epoch. */
  readonly sinceMs: number;
  /** Present for the store of actors' state: whether it keeps those from writing who have lost an actor. */
  readonly actorState?: "fenced" | "unfenced";
  /** Present for a failed component that is tried again, and for a rejected change that is. */
  readonly retry?: ComponentRetry;
  /** Present while a change of the resource is not in effect: the component as it was before is what is used. */
  readonly rejected?: RejectedChange;
}

/** Why a change of a resource was not taken over, and since when, in milliseconds since the Unix epoch. */
export interface RejectedChange {
  readonly reason: string;
  readonly sinceMs: number;
}

/** How often a component has failed to come up, and when it is tried next, in milliseconds since the Unix epoch. */
export interface ComponentRetry {
  readonly attempts: number;
  readonly nextAttemptMs: number;
}

/** How following changes of the resources has gone since the sidecar started. */
export interface ReloadState {
  /** Comparisons of what is in use with what is wanted. */
  readonly rounds: number;
  /** Resources that were added, changed or removed. */
  readonly changes: number;
  /** Since the Unix epoch; absent: nothing has changed yet. */
  readonly lastChangeMs?: number;
  /** What the last comparison has brought into effect, components that have not come up not among it. */
  readonly changed: readonly ChangedResource[];
  /** What the last comparison could not bring into effect; what was in use before still is. */
  readonly problems: readonly string[];
}

/** A resource whose change is in use. */
export interface ChangedResource {
  readonly kind: string;
  readonly name: string;
  readonly change: "added" | "changed" | "removed";
}

/** Where doors read how the components are doing. */
export interface ComponentConditions {
  /** In the order in which they became known. */
  conditions(): readonly ComponentCondition[];
  /** Absent, or undefined: changes of resources are not followed. */
  reload?(): ReloadState | undefined;
  /** Compares now, and resolves when what has changed is in use or was refused. Absent, or undefined: as above. */
  reloadNow?(): Promise<ReloadState | undefined>;
}

/** What blocks see of one family of components: names to loaded instances; it may change while the sidecar runs. */
export interface ComponentView<T extends Component> {
  readonly size: number;
  get(name: string): Loaded<T> | undefined;
  values(): Iterable<Loaded<T>>;
  /**
   * Called after each add, replacement (same name) or removal (undefined), and at once for what is there. A listener that
   * still uses what was there before returns a promise that settles when it no longer does.
   */
  watch(listener: (name: string, loaded: Loaded<T> | undefined) => unknown): void;
}

/** Read-only views of all families. */
export interface InventoryView {
  readonly state: ComponentView<StateStore>;
  readonly pubsub: ComponentView<PubSub>;
  readonly secretstores: ComponentView<SecretStore>;
  readonly bindings: ComponentView<Binding>;
  readonly configuration: ComponentView<ConfigurationStore>;
  readonly lock: ComponentView<LockStore>;
  readonly crypto: ComponentView<CryptoProvider>;
  readonly conversation: ComponentView<Conversation>;
  readonly middleware: ComponentView<HttpMiddleware>;
}

/** Everything that is loaded, with the operations of the composition root and of hot reload. */
export interface Inventory extends InventoryView, ComponentConditions {
  /** In the order in which they were loaded; those that were removed stay at the end until they are closed. */
  components(): readonly ComponentInfo[];
  /**
   * Loads all components one after the other, secret stores first. Those that say `ignoreErrors` and whose `init` failed
   * are tried again in the background until they succeed, are removed or replaced, or the inventory is closed.
   * @throws ComponentInitError for the first one that fails and does not say `ignoreErrors`; what was loaded stays until `close`
   */
  load(resources: readonly ComponentResource[], signal?: AbortSignal): Promise<void>;
  /** Loads one more component, and those that waited for it. @throws ComponentInitError as `load` does */
  add(resource: ComponentResource, signal?: AbortSignal): Promise<void>;
  /**
   * Loads the component, puts it in the place of the one of that name, and closes that one when its last call has ended.
   * Where the type stays and the new one does not come up, the one before stays in use, the conditions tell why, and what
   * may yet succeed is tried again. Another type under the name is a component of its own: as when the sidecar starts,
   * `ignoreErrors` decides.
   * @throws ComponentInitError as `load` does
   */
  replace(resource: ComponentResource, signal?: AbortSignal): Promise<ReplaceResult>;
  /** Nobody finds the component of that name any more, and it is closed when its last call has ended. */
  remove(name: string): Promise<void>;
  /** Stops what is being loaded, then closes all components at the same time. Safe at any moment, and twice. */
  close(): Promise<void>;
}

/** `kept`: the new one did not come up, the one before is in use. `absent`: none is in use, now or for the time being. */
export type ReplaceResult = "replaced" | "kept" | "absent";

/** What metrics want to know about loading. `creation` failures come before the component exists. */
export interface InventoryObserver {
  componentLoaded(): void;
  componentInitialized(type: string): void;
  componentInitFailed(type: string, reason: "creation" | "init", name: string): void;
}
