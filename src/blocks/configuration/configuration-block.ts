import { ComponentError } from "../../components/spi/errors.ts";
import type {
  ConfigurationItems,
  ConfigurationStore,
  ConfigurationSubscription,
} from "../../components/spi/configuration.ts";
import { configurationErrors } from "../../errors/catalogue/configuration.ts";
import { type ApiError, apiError } from "../../errors/error.ts";
import type { ComponentView } from "../../inventory/types.ts";
import type { Clock } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import { type ComponentCallsSource, NO_CALLS } from "../../telemetry/metrics/component-calls.ts";
import type { Policy } from "../../resiliency/types.ts";
import { type ComponentPolicies, guarded, PoliciesByName } from "../component-policy.ts";
import { UpdateQueue } from "./update-queue.ts";

export interface GetConfiguration {
  readonly store: string;
  /** Empty: all keys. */
  readonly keys: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** A live subscription. `updates` are read once; they end when it is closed from either side. */
export interface ConfigurationUpdates {
  readonly id: string;
  readonly updates: AsyncIterable<ConfigurationItems>;
  /** For telling an app of each update. */
  readonly policy: Policy | undefined;
  close(): Promise<void>;
}

/** Configuration stores: every door and every in-process caller comes here. All methods throw ApiError of `configurationErrors`. */
export interface ConfigurationBlock {
  /** Lets a door refuse before anything else. */
  requireStore(store: string): void;
  get(request: GetConfiguration): Promise<ConfigurationItems>;
  subscribe(request: GetConfiguration): Promise<ConfigurationUpdates>;
  /** Ends a subscription, whoever began it; `store` undefined: of any store. @throws ApiError ERR_CONFIGURATION_UNSUBSCRIBE when there is none */
  unsubscribe(store: string | undefined, id: string): Promise<void>;
  /** Ends all subscriptions; later ones are refused. */
  close(): Promise<void>;
}

export interface ConfigurationBlockOptions {
  readonly stores: ComponentView<ConfigurationStore>;
  readonly random: Random;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly calls?: ComponentCallsSource | undefined;
  readonly policies?: ComponentPolicies | undefined;
}

/** Follows `stores` from now on: a store that is replaced hands its subscriptions over, one that leaves takes them along. */
export function createConfigurationBlock(options: ConfigurationBlockOptions): ConfigurationBlock {
  return new Block(options);
}

/** Subscriptions at once; each may hold a connection or a watch of its back end. */
export const SUBSCRIPTIONS_MAX = 10_000;

interface Live {
  readonly store: string;
  end(): Promise<void>;
  /** Goes on at the component that has taken the place of its own. */
  moveTo(component: ConfigurationStore): Promise<void>;
}

class Block implements ConfigurationBlock {
  readonly #stores: ComponentView<ConfigurationStore>;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #calls: ComponentCallsSource;
  readonly #policies: PoliciesByName;
  readonly #updatePolicies: PoliciesByName;
  readonly #live = new Map<string, Live>();
  #closed = false;

  constructor({ stores, random, logger, clock, calls = NO_CALLS, policies }: ConfigurationBlockOptions) {
    this.#stores = stores;
    this.#random = random;
    this.#logger = logger.scope("dapr.runtime.configuration");
    this.#clock = clock;
    this.#calls = calls;
    this.#policies = new PoliciesByName(policies, "Configuration", "outbound");
    this.#updatePolicies = new PoliciesByName(policies, "Configuration", "inbound");
    stores.watch((name, loaded) => this.#follow(name, loaded?.component));
  }

  requireStore(store: string): void {
    this.#store(store);
  }

  async get({ store, keys, metadata }: GetConfiguration): Promise<ConfigurationItems> {
    const component = this.#store(store);
    try {
      const policy = this.#policies.of(store);
      return await this.#counted(
        store,
        "get",
        guarded(policy, () => component.get({ keys, metadata })),
      );
    } catch (error) {
      throw failure(configurationErrors.get, store, keys, error);
    }
  }

  async subscribe({ store, keys, metadata }: GetConfiguration): Promise<ConfigurationUpdates> {
    const component = this.#store(store);
    this.#refuseWhenFull(store, keys);
    const id = this.#random.uuid();
    const updates = new UpdateQueue();
    try {
      const subscribeTo = (current: ConfigurationStore): Promise<ConfigurationSubscription> =>
        this.#counted(
          store,
          "subscribe",
          guarded(
            this.#policies.of(store),
            () => current.subscribe({ keys, metadata }, (items) => updates.push(items)),
            { discard: (late) => this.#closeLate(late) },
          ),
        );
      let subscription = await subscribeTo(component);
      const end = async (): Promise<void> => {
        this.#live.delete(id);
        updates.end();
        await this.#counted(store, "unsubscribe", subscription.close());
      };
      const moveTo = async (next: ConfigurationStore): Promise<void> => {
        const before = subscription;
        subscription = await subscribeTo(next);
        await (this.#live.has(id) ? before : subscription).close();
      };
      const live = { store, end, moveTo };
      this.#live.set(id, live);
      const current = this.#stores.get(store)?.component;
      if (this.#closed || current === undefined) {
        await end();
      } else if (current !== component) {
        await this.#move(id, live, current);
      }
      const policies = this.#updatePolicies;
      return {
        id,
        updates,
        get policy() {
          return policies.of(store);
        },
        close: () => this.#end(id),
      };
    } catch (error) {
      throw failure(configurationErrors.subscribe, store, keys, error);
    }
  }

  async unsubscribe(store: string | undefined, id: string): Promise<void> {
    const live = this.#live.get(id);
    if (live === undefined || (store !== undefined && live.store !== store)) {
      const reason = store === undefined ? "subscription does not exist" : `subscription with id ${id} does not exist`;
      throw apiError(configurationErrors.unsubscribe, { id, reason });
    }
    try {
      await live.end();
    } catch (error) {
      throw apiError(configurationErrors.unsubscribe, { id, reason: errorMessage(error) }, { cause: error });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#live.keys()].map((id) => this.#end(id)));
  }

  /** A subscription that came when its caller had given up on it. */
  #closeLate(late: ConfigurationSubscription): void {
    late.close().catch((error: unknown) => {
      this.#logger.warn(`error while ending a configuration subscription: ${errorMessage(error)}`);
    });
  }

  #refuseWhenFull(store: string, keys: readonly string[]): void {
    const reason = this.#closed
      ? "the sidecar is shutting down"
      : this.#live.size >= SUBSCRIPTIONS_MAX
        ? `there are ${SUBSCRIPTIONS_MAX} subscriptions already, which is the limit; end some first`
        : undefined;
    if (reason !== undefined) {
      throw apiError(configurationErrors.subscribe, { keys: `[${keys.join(" ")}]`, store, reason });
    }
  }

  async #end(id: string): Promise<void> {
    try {
      await this.#live.get(id)?.end();
    } catch (error) {
      this.#logger.warn(`failed to unsubscribe to configuration request ${id}: ${errorMessage(error)}`);
    }
  }

  async #follow(name: string, component: ConfigurationStore | undefined): Promise<void> {
    const affected = [...this.#live].filter(([, live]) => live.store === name);
    await Promise.all(
      affected.map(([id, live]) => (component === undefined ? this.#end(id) : this.#move(id, live, component))),
    );
  }

  /** A subscription that the new component does not take ends. */
  async #move(id: string, live: Live, component: ConfigurationStore): Promise<void> {
    try {
      await live.moveTo(component);
    } catch (error) {
      this.#logger.warn(`configuration subscription ${id} ends with its store: ${errorMessage(error)}`);
      await this.#end(id);
    }
  }

  async #counted<T>(store: string, operation: string, call: Promise<T>): Promise<T> {
    const startedMs = this.#clock.monotonicMs();
    let success = false;
    try {
      const result = await call;
      success = true;
      return result;
    } finally {
      this.#calls.of(store).record(operation, success, this.#clock.monotonicMs() - startedMs);
    }
  }

  #store(name: string): ConfigurationStore {
    if (this.#stores.size === 0) {
      throw apiError(configurationErrors.storesNotConfigured, {});
    }
    const loaded = this.#stores.get(name);
    if (loaded === undefined) {
      throw apiError(configurationErrors.storeNotFound, { store: name });
    }
    return loaded.component;
  }
}

function failure(
  entry: typeof configurationErrors.get | typeof configurationErrors.subscribe,
  store: string,
  keys: readonly string[],
  error: unknown,
): ApiError {
  if (!(error instanceof ComponentError)) {
    throw error;
  }
  return apiError(entry, { keys: `[${keys.join(" ")}]`, store, reason: error.message }, { cause: error });
}
