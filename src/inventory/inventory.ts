import { isDeepStrictEqual } from "node:util";
import type { Component } from "../components/spi/component.ts";
import type { Logger } from "../kit/logger.ts";
import type { ComponentResource } from "../resources/component.ts";
import { isActorStore, isFenced } from "./actor-store.ts";
import { capabilitiesOf } from "./capabilities.ts";
import { createDenyList } from "./deny-list.ts";
import { Conditions } from "./conditions.ts";
import { ComponentInitError, errorText, initFailureText, StartError } from "./errors.ts";
import { LoadedViews } from "./loaded-views.ts";
import { resolveReferences, type ReferencedMetadata, type ResolverOptions } from "./metadata-resolver.ts";
import type { InventoryOptions } from "./options.ts";
import { Parked } from "./parked.ts";
import { isComponentType } from "./registry.ts";
import { DRAIN_MS_MAX, Retirement } from "./retirement.ts";
import { Retries } from "./retries.ts";
import { closeQuietly, Starter } from "./starter.ts";
import type { ComponentCondition, ComponentInfo, Inventory, Loaded, ReplaceResult } from "./types.ts";
import { type TrackedCalls, trackCalls } from "./tracked-calls.ts";
import type { ToldChange } from "./view.ts";

export type { InventoryOptions } from "./options.ts";

const SECRET_STORE_PREFIX = "secretstores.";

/** An empty inventory; nothing is imported or connected before `load`. */
export function createInventory(options: InventoryOptions): Inventory {
  return new LiveInventory(options);
}

interface Entry {
  readonly resource: ComponentResource;
  readonly loaded: Loaded<Component>;
  /** What its references stood for when it was made. */
  readonly referenced: ReferencedMetadata;
  /** Undefined: components are not replaced while they are in use. */
  readonly calls: TrackedCalls<Component> | undefined;
}

class LiveInventory extends LoadedViews implements Inventory {
  readonly #options: InventoryOptions;
  readonly #resolver: ResolverOptions;
  readonly #starter: Starter;
  readonly #logger: Logger;
  readonly #isAllowed: (resource: ComponentResource) => boolean;
  readonly #entries = new Map<string, Entry>();
  /** Removed, and still with work in hand: listed like those in use, as in Dapr. */
  readonly #leaving = new Set<Entry>();
  readonly #parked = new Parked();
  readonly #conditions: Conditions;
  readonly #retries: Retries;
  readonly #closing = new AbortController();
  readonly #retirement: Retirement;
  /** The operation under way: operations run one after the other. */
  #last: Promise<void> = Promise.resolve();
  #closed: Promise<void> | undefined;

  constructor(options: InventoryOptions) {
    super();
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
    this.#retirement = new Retirement(options.clock, this.#closing.signal);
    this.#retries = new Retries(options.clock, (resource) => {
      this.#serially(() => this.#retry(resource)).catch(() => undefined);
    });
  }

  components(): readonly ComponentInfo[] {
    const leaving = [...this.#leaving].filter(({ resource }) => !this.#entries.has(resource.name));
    return [...this.#entries.values(), ...leaving].map(({ resource, loaded }) => ({
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
      const isTried = condition.condition === "failed" || condition.rejected !== undefined;
      const retry = isTried ? this.#retries.of(condition.name) : undefined;
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

  async replace(resource: ComponentResource, signal?: AbortSignal): Promise<ReplaceResult> {
    let result: ReplaceResult = "absent";
    await this.#serially(async () => {
      const { name, type } = resource;
      const before = this.#entries.get(name);
      const isAllowed = this.#isAllowed(resource);
      if (before?.resource.type !== type || !isAllowed) {
        this.#remove(name);
      } else {
        this.#parked.forget(name);
      }
      if (!isAllowed) {
        return;
      }
      await this.#process(resource, signal);
      const current = this.#entries.get(name);
      result = current === undefined ? "absent" : current === before ? "kept" : "replaced";
    });
    return result;
  }

  remove(name: string): Promise<void> {
    return this.#serially(async () => this.#remove(name));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort(new Error("the sidecar is shutting down"));
    this.#retries.close();
    await this.#last;
    for (const name of this.#entries.keys()) {
      this.#remove(name);
    }
    await this.#retirement.ended();
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
    const kept = this.#entries.get(resource.name);
    try {
      await this.#processWithDependents(resource, signal);
    } catch (cause) {
      if (kept !== undefined && this.#entries.get(resource.name) === kept) {
        this.#logger.error(
          `The change of component ${resource.logName} is not in effect, it stays as it was before: ${errorText(cause)}`,
        );
        return;
      }
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
    await this.#refreshDependents(resource, signal);
  }

  /** Components that are in use with secrets of a store that has been replaced are replaced too, if those have changed. */
  async #refreshDependents(store: ComponentResource, signal: AbortSignal | undefined): Promise<void> {
    if (!isSecretStore(store)) {
      return;
    }
    for (const { resource, referenced } of this.#entries.values()) {
      if (resource.secretStore === store.name && Object.keys(referenced.secretNames).length > 0) {
        const current = await resolveReferences(resource, this.#resolver);
        if ("values" in current && !isDeepStrictEqual(current, referenced)) {
          this.#logger.info(`Secrets of component ${resource.logName} have changed, reloading it`);
          await this.#process(resource, signal);
        }
      }
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
    await this.#refreshDependents(resource, undefined);
  }

  /** @returns false when it has to wait for its secret store. @throws StartError, or Error when it got not so far */
  async #start(resource: ComponentResource, signal: AbortSignal | undefined): Promise<boolean> {
    const isInUse = this.#entries.has(resource.name);
    if (!isInUse) {
      this.#conditions.starting(resource);
    }
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
      retry = (isInUse || this.#isForgiven(resource)) && cause instanceof StartError && cause.retryable;
      const reason = cause instanceof StartError ? cause.reason : errorText(cause);
      if (isInUse) {
        this.#conditions.rejected(resource.name, reason);
      } else {
        this.#conditions.failed(resource, reason);
      }
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
    const report = this.#conditions.reporterOf(resource);
    const { component, ...facts } = await this.#starter.start(resource, referenced, stop, report);
    const calls = this.#options.drains === true ? trackCalls(component) : undefined;
    const loaded = { ...facts, component: calls?.component ?? component };
    const before = this.#entries.get(resource.name);
    const entry = { resource, loaded, referenced, calls };
    this.#entries.set(resource.name, entry);
    let told: ToldChange;
    try {
      told = this.publish(loaded);
    } catch (cause) {
      if (before === undefined) {
        this.#unload(resource.name);
      } else {
        this.#entries.set(resource.name, before);
        void this.#retire(entry, this.publish(before.loaded).settled);
      }
      throw new StartError(errorText(cause), errorText(cause), false, cause);
    }
    this.#conditions.started(resource);
    if (before !== undefined) {
      void this.#retire(before, told.settled);
    }
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
    return isSecretStore(resource) ? this.#parked.take(resource.name) : [];
  }

  #park(resource: ComponentResource, secretStore: string): void {
    this.#parked.add(resource, secretStore);
    if (this.#entries.has(resource.name)) {
      this.#conditions.rejected(resource.name, `it waits for secret store ${secretStore}`);
    } else {
      this.#conditions.waiting(resource, secretStore);
    }
  }

  #remove(name: string): void {
    this.#retries.cancel(name);
    this.#conditions.delete(name);
    this.#parked.forget(name);
    this.#unload(name);
  }

  #unload(name: string): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined) {
      this.#entries.delete(name);
      this.#leaving.add(entry);
      void this.#retire(entry, this.withdraw(name)).then(() => this.#leaving.delete(entry));
    }
  }

  /** Closes what nobody finds any more, once its users have moved on and its calls have ended. */
  #retire({ resource, loaded, calls }: Entry, moved: Promise<unknown>): Promise<void> {
    const close = (): Promise<void> => closeQuietly(loaded.component, resource, this.#logger);
    const onLate = (): void =>
      this.#logger.warn(
        `Component ${resource.logName} has calls under way ${DRAIN_MS_MAX / 1000}s after it was replaced or removed; they are cut off`,
      );
    const settled = moved.then(() => calls?.idle());
    return this.#retirement.add(calls === undefined ? Promise.resolve() : settled, close, onLate);
  }
}

function isSecretStore(resource: ComponentResource): boolean {
  return resource.type.startsWith(SECRET_STORE_PREFIX);
}
