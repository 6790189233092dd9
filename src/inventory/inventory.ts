import type { Binding } from "../components/spi/bindings.ts";
import type { ConfigurationStore } from "../components/spi/configuration.ts";
import type { LockStore } from "../components/spi/lock.ts";
import type { Component } from "../components/spi/component.ts";
import type { PubSub } from "../components/spi/pubsub.ts";
import type { SecretStore } from "../components/spi/secret-store.ts";
import type { StateStore } from "../components/spi/state.ts";
import type { Logger } from "../kit/logger.ts";
import type { ComponentResource } from "../resources/component.ts";
import { capabilitiesOf } from "./capabilities.ts";
import { createDenyList } from "./deny-list.ts";
import { ComponentInitError, errorText, initFailureText } from "./errors.ts";
import { resolveReferences, type ReferencedMetadata, type ResolverOptions } from "./metadata-resolver.ts";
import type { InventoryOptions } from "./options.ts";
import { isComponentType } from "./registry.ts";
import { closeQuietly, Starter } from "./starter.ts";
import type { ComponentInfo, Inventory, Loaded } from "./types.ts";
import { LiveView } from "./view.ts";

export type { InventoryOptions } from "./options.ts";

const SECRET_STORE_PREFIX = "secretstores.";

/** An empty inventory; nothing is imported or connected before `load`. */
export function createInventory(options: InventoryOptions): Inventory {
  return new LiveInventory(options);
}

interface Entry {
  readonly resource: ComponentResource;
  readonly loaded: Loaded<Component>;
}

class LiveInventory implements Inventory {
  readonly state = new LiveView<StateStore>();
  readonly pubsub = new LiveView<PubSub>();
  readonly secretstores = new LiveView<SecretStore>();
  readonly bindings = new LiveView<Binding>();
  readonly configuration = new LiveView<ConfigurationStore>();
  readonly lock = new LiveView<LockStore>();
  readonly #options: InventoryOptions;
  readonly #resolver: ResolverOptions;
  readonly #starter: Starter;
  readonly #logger: Logger;
  readonly #isAllowed: (resource: ComponentResource) => boolean;
  readonly #entries = new Map<string, Entry>();
  /** Components that wait for a secret store, by the store's name. */
  readonly #waiting = new Map<string, ComponentResource[]>();
  readonly #closing = new AbortController();
  /** The operation under way: operations run one after the other. */
  #last: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(options: InventoryOptions) {
    this.#options = options;
    this.#logger = options.logger.scope("dapr.runtime.processor");
    this.#isAllowed = createDenyList(options.denied, options.logger.scope("dapr.runtime.authorizer"));
    this.#resolver = {
      ...options,
      logger: options.logger.scope("dapr.runtime.processor.secret"),
      secretStore: (name) => this.secretstores.get(name)?.component,
    };
    this.#starter = new Starter(options, this.#resolver, this.#logger);
  }

  components(): readonly ComponentInfo[] {
    return Array.from(this.#entries.values(), ({ resource, loaded }) => ({
      name: resource.name,
      type: resource.type,
      version: resource.version,
      capabilities: capabilitiesOf(loaded.manifest, loaded.component, loaded.metadata),
    }));
  }

  load(resources: readonly ComponentResource[], signal?: AbortSignal): Promise<void> {
    const allowed = resources.filter(this.#isAllowed);
    const isSecretStore = (resource: ComponentResource): boolean => resource.type.startsWith(SECRET_STORE_PREFIX);
    const ordered = [...allowed.filter(isSecretStore), ...allowed.filter((resource) => !isSecretStore(resource))];
    return this.#serially(async () => {
      for (const resource of ordered) {
        await this.#process(resource, signal);
      }
    });
  }

  add(resource: ComponentResource, signal?: AbortSignal): Promise<void> {
    return this.#serially(async () => {
      if (this.#isAllowed(resource)) {
        await this.#process(resource, signal);
      }
    });
  }

  replace(resource: ComponentResource, signal?: AbortSignal): Promise<void> {
    return this.#serially(async () => {
      await this.#remove(resource.name);
      if (this.#isAllowed(resource)) {
        await this.#process(resource, signal);
      }
    });
  }

  remove(name: string): Promise<void> {
    return this.#serially(() => this.#remove(name));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort(new Error("the sidecar is shutting down"));
    await this.#last;
    await Promise.all(Array.from(this.#entries.keys(), (name) => this.#remove(name)));
  }

  #serially(operation: () => Promise<void>): Promise<void> {
    const result = this.#last.then(async () => {
      this.#closing.signal.throwIfAborted();
      await operation();
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #process(resource: ComponentResource, signal: AbortSignal | undefined): Promise<void> {
    if (resource.name === "") {
      return;
    }
    try {
      await this.#processWithDependents(resource, signal);
    } catch (cause) {
      const error = new ComponentInitError(
        resource.name,
        `process component ${resource.name} error: ${errorText(cause)}`,
        cause,
      );
      if (!resource.ignoreErrors) {
        this.#logger.warn(`Error processing component, daprd will exit gracefully: ${error.message}`);
        throw error;
      }
      this.#logger.error(`Ignoring error processing component: ${error.message}`);
    }
  }

  async #processWithDependents(resource: ComponentResource, signal: AbortSignal | undefined): Promise<void> {
    this.#logger.debug(`Loading component: ${resource.logName}`);
    const referenced = await resolveReferences(resource, this.#resolver);
    if ("waitingForSecretStore" in referenced) {
      this.#park(resource, referenced.waitingForSecretStore);
      return;
    }
    if (!isComponentType(resource.type)) {
      throw new Error(`incorrect type ${resource.type}`);
    }
    try {
      await this.#bringUp(resource, referenced, signal);
    } catch (cause) {
      this.#logger.error(`Failed to init component ${resource.logName}: ${errorText(cause)}`);
      // Dapr counts the failed step and then the failed whole.
      this.#options.observer?.componentInitFailed(resource.type, "init", resource.name);
      throw new Error(initFailureText("INIT_COMPONENT_FAILURE", resource.logName, errorText(cause)), { cause });
    }
    this.#logger.info(`Component loaded: ${resource.logName}`);
    this.#options.observer?.componentLoaded();
    if (resource.type.startsWith(SECRET_STORE_PREFIX)) {
      const dependents = this.#waiting.get(resource.name) ?? [];
      this.#waiting.delete(resource.name);
      for (const dependent of dependents) {
        await this.#processWithDependents(dependent, signal);
      }
    }
  }

  async #bringUp(
    resource: ComponentResource,
    referenced: ReferencedMetadata,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const stop = signal === undefined ? this.#closing.signal : AbortSignal.any([this.#closing.signal, signal]);
    const loaded = await this.#starter.start(resource, referenced, stop);
    this.#entries.set(resource.name, { resource, loaded });
    try {
      this.#publish(loaded);
    } catch (cause) {
      await this.#remove(resource.name);
      throw cause;
    }
  }

  #park(resource: ComponentResource, secretStore: string): void {
    const others = (this.#waiting.get(secretStore) ?? []).filter((each) => each.name !== resource.name);
    this.#waiting.set(secretStore, [...others, resource]);
  }

  #publish(loaded: Loaded<Component>): void {
    switch (loaded.manifest.family) {
      case "state":
        return this.state.set(loaded as Loaded<StateStore>);
      case "pubsub":
        return this.pubsub.set(loaded as Loaded<PubSub>);
      case "secretstores":
        return this.secretstores.set(loaded as Loaded<SecretStore>);
      case "bindings":
        return this.bindings.set(loaded);
      case "configuration":
        return this.configuration.set(loaded as Loaded<ConfigurationStore>);
      case "lock":
        return this.lock.set(loaded as Loaded<LockStore>);
      case "nameresolution":
        return undefined;
    }
  }

  async #remove(name: string): Promise<void> {
    for (const waiting of this.#waiting.values()) {
      const at = waiting.findIndex((resource) => resource.name === name);
      if (at !== -1) {
        waiting.splice(at, 1);
      }
    }
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      return;
    }
    this.#entries.delete(name);
    this.state.delete(name);
    this.pubsub.delete(name);
    this.secretstores.delete(name);
    this.bindings.delete(name);
    this.configuration.delete(name);
    this.lock.delete(name);
    await closeQuietly(entry.loaded.component, entry.resource, this.#logger);
  }
}
