import type { Binding } from "../components/spi/bindings.ts";
import type { ConfigurationStore } from "../components/spi/configuration.ts";
import type { Conversation } from "../components/spi/conversation.ts";
import type { CryptoProvider } from "../components/spi/crypto.ts";
import type { LockStore } from "../components/spi/lock.ts";
import type { Component } from "../components/spi/component.ts";
import type { PubSub } from "../components/spi/pubsub.ts";
import type { SecretStore } from "../components/spi/secret-store.ts";
import type { StateStore } from "../components/spi/state.ts";
import type { Logger } from "../kit/logger.ts";
import type { ComponentResource } from "../resources/component.ts";
import { isActorStore, isFenced } from "./actor-store.ts";
import { capabilitiesOf } from "./capabilities.ts";
import { createDenyList } from "./deny-list.ts";
import { Conditions } from "./conditions.ts";
import { ComponentInitError, errorText, initFailureText, StartError } from "./errors.ts";
import { resolveReferences, type ReferencedMetadata, type ResolverOptions } from "./metadata-resolver.ts";
import type { InventoryOptions } from "./options.ts";
import { isComponentType } from "./registry.ts";
import { Retries } from "./retries.ts";
import { closeQuietly, Starter } from "./starter.ts";
import type { ComponentCondition, ComponentInfo, Inventory, Loaded } from "./types.ts";
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
  readonly crypto = new LiveView<CryptoProvider>();
  readonly conversation = new LiveView<Conversation>();
  readonly #options: InventoryOptions;
  readonly #resolver: ResolverOptions;
  readonly #starter: Starter;
  readonly #logger: Logger;
  readonly #isAllowed: (resource: ComponentResource) => boolean;
  readonly #entries = new Map<string, Entry>();
  /** Components that wait for a secret store, by the store's name. */
  readonly #waiting = new Map<string, ComponentResource[]>();
  readonly #conditions: Conditions;
  readonly #retries: Retries;
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
    this.#conditions = new Conditions(options.clock);
    this.#retries = new Retries(options.clock, (resource) => {
      this.#serially(() => this.#retry(resource)).catch(() => undefined);
    });
  }

  components(): readonly ComponentInfo[] {
    return Array.from(this.#entries.values(), ({ resource, loaded }) => ({
      name: resource.name,
      type: resource.type,
      version: resource.version,
      capabilities: capabilitiesOf(loaded.manifest, loaded.component, loaded.metadata),
    }));
  }

  conditions(): readonly ComponentCondition[] {
    return this.#conditions.list().map((condition) => {
      const loaded = this.#entries.get(condition.name)?.loaded;
      if (loaded !== undefined && isActorStore(loaded)) {
        return { ...condition, actorState: isFenced(loaded) ? "fenced" : "unfenced" };
      }
      const retry = condition.condition === "failed" ? this.#retries.of(condition.name) : undefined;
      return retry === undefined ? condition : { ...condition, retry };
    });
  }

  load(resources: readonly ComponentResource[], signal?: AbortSignal): Promise<void> {
    const allowed = resources.filter(this.#isAllowed);
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
    this.#retries.close();
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
    this.#retries.cancel(resource.name);
    try {
      await this.#processWithDependents(resource, signal);
    } catch (cause) {
      const error = new ComponentInitError(
        resource.name,
        `process component ${resource.name} error: ${errorText(cause)}`,
        cause,
      );
      if (!this.#isForgiven(resource)) {
        this.#logger.warn(`Error processing component, daprd will exit gracefully: ${error.message}`);
        throw error;
      }
      this.#complain(resource, `Ignoring error processing component: ${error.message}`);
    }
  }

  async #processWithDependents(resource: ComponentResource, signal: AbortSignal | undefined): Promise<void> {
    this.#logger.debug(`Loading component: ${resource.logName}`);
    try {
      if (!(await this.#start(resource, signal))) {
        return;
      }
    } catch (cause) {
      if (!(cause instanceof StartError)) {
        throw cause;
      }
      this.#complain(resource, `Failed to init component ${resource.logName}: ${cause.message}`);
      // Dapr counts the failed step and then the failed whole.
      this.#options.observer?.componentInitFailed(resource.type, "init", resource.name);
      throw new Error(initFailureText("INIT_COMPONENT_FAILURE", resource.logName, cause.message), { cause });
    }
    for (const dependent of this.#takeDependents(resource)) {
      await this.#processWithDependents(dependent, signal);
    }
  }

  /** One more attempt at a component whose failure was ignored; dependents that fail now have nobody to fail for. */
  async #retry(resource: ComponentResource): Promise<void> {
    if (!this.#retries.holds(resource)) {
      return;
    }
    try {
      if (!(await this.#start(resource, undefined))) {
        return;
      }
    } catch (cause) {
      this.#logger.debug(`Component ${resource.logName} could not be loaded yet: ${errorText(cause)}`);
      return;
    }
    for (const dependent of this.#takeDependents(resource)) {
      try {
        await this.#processWithDependents(dependent, undefined);
      } catch (cause) {
        const text = `process component ${dependent.name} error: ${errorText(cause)}`;
        this.#logger.error(`Ignoring error processing component: ${text}`);
      }
    }
  }

  /** @returns false when it has to wait for its secret store. @throws StartError, or Error when it got not so far */
  async #start(resource: ComponentResource, signal: AbortSignal | undefined): Promise<boolean> {
    this.#conditions.starting(resource);
    let retry = false;
    try {
      const referenced = await resolveReferences(resource, this.#resolver);
      if ("waitingForSecretStore" in referenced) {
        this.#park(resource, referenced.waitingForSecretStore);
        return false;
      }
      if (!isComponentType(resource.type)) {
        throw new Error(`incorrect type ${resource.type}`);
      }
      await this.#bringUp(resource, referenced, signal);
    } catch (cause) {
      retry = this.#isForgiven(resource) && cause instanceof StartError && cause.retryable;
      this.#conditions.failed(resource, cause instanceof StartError ? cause.reason : errorText(cause));
      throw cause;
    } finally {
      if (retry) {
        this.#retries.schedule(resource);
      } else {
        this.#retries.cancel(resource.name);
      }
    }
    this.#logger.info(`Component loaded: ${resource.logName}`);
    this.#options.observer?.componentLoaded();
    return true;
  }

  async #bringUp(
    resource: ComponentResource,
    referenced: ReferencedMetadata,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const stop = signal === undefined ? this.#closing.signal : AbortSignal.any([this.#closing.signal, signal]);
    const loaded = await this.#starter.start(resource, referenced, stop, this.#conditions.reporterOf(resource));
    this.#entries.set(resource.name, { resource, loaded });
    try {
      this.#publish(loaded);
    } catch (cause) {
      await this.#unload(resource.name);
      throw new StartError(errorText(cause), errorText(cause), false, cause);
    }
    this.#conditions.started(resource);
  }

  #isForgiven(resource: ComponentResource): boolean {
    return resource.ignoreErrors || this.#options.componentFailures === "keep";
  }

  /** An owner that keeps failures tells them itself. */
  #complain(resource: ComponentResource, text: string): void {
    if (resource.ignoreErrors || this.#options.componentFailures !== "keep") {
      this.#logger.error(text);
    } else {
      this.#logger.info(text);
    }
  }

  #takeDependents(resource: ComponentResource): readonly ComponentResource[] {
    if (!isSecretStore(resource)) {
      return [];
    }
    const dependents = this.#waiting.get(resource.name) ?? [];
    this.#waiting.delete(resource.name);
    return dependents;
  }

  #park(resource: ComponentResource, secretStore: string): void {
    const others = (this.#waiting.get(secretStore) ?? []).filter((each) => each.name !== resource.name);
    this.#waiting.set(secretStore, [...others, resource]);
    this.#conditions.waiting(resource, secretStore);
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
      case "crypto":
        return this.crypto.set(loaded as Loaded<CryptoProvider>);
      case "conversation":
        return this.conversation.set(loaded as Loaded<Conversation>);
      case "nameresolution":
        return undefined;
    }
  }

  async #remove(name: string): Promise<void> {
    this.#retries.cancel(name);
    this.#conditions.delete(name);
    for (const waiting of this.#waiting.values()) {
      const at = waiting.findIndex((resource) => resource.name === name);
      if (at !== -1) {
        waiting.splice(at, 1);
      }
    }
    await this.#unload(name);
  }

  async #unload(name: string): Promise<void> {
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
    this.crypto.delete(name);
    this.conversation.delete(name);
    await closeQuietly(entry.loaded.component, entry.resource, this.#logger);
  }
}

function isSecretStore(resource: ComponentResource): boolean {
  return resource.type.startsWith(SECRET_STORE_PREFIX);
}
