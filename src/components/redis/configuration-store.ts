import { errorMessage } from "../../kit/error-message.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import type {
  ConfigurationGetRequest,
  ConfigurationItem,
  ConfigurationItems,
  ConfigurationListener,
  ConfigurationStore,
  ConfigurationSubscription,
} from "../spi/configuration.ts";
import { ComponentError } from "../spi/errors.ts";
import { connectionDeps } from "./connection-deps.ts";
import { REPEATABLE, RedisConnection } from "./connection.ts";
import { componentClosed } from "./errors.ts";
import { CONFIGURATION_FIELDS } from "./fields.ts";
import { ALL_KEYS, KeyspaceEvents } from "./keyspace-events.ts";
import { KEYS_PER_PAGE, LISTED_KEYS_MAX } from "./limits.ts";
import { replyList } from "./replies.ts";
import { scanKeys } from "./scan.ts";
import { decodeRedisMetadata, redisSettings, type RedisSettings } from "./settings.ts";

const SEPARATOR = "||";
const REMOVED: ConfigurationItem = { value: "", version: "", metadata: {} };

interface Subscription {
  /** Undefined: all keys. */
  readonly keys: ReadonlySet<string> | undefined;
  readonly listener: ConfigurationListener;
}

/**
 * Dapr's `configuration.redis`: plain keys with `value||version`. Subscribers are told the value that a changed key has
 * when we read it: of changes that follow each other fast, the last. After an outage they are told their keys again.
 */
export class RedisConfigurationStore implements ConfigurationStore {
  readonly #deps: ComponentDeps;
  readonly #connectionDeps: () => ComponentDeps;
  readonly #subscriptions = new Set<Subscription>();
  /** Announced as changed and not read yet. */
  readonly #changed = new Set<string>();
  #settings: RedisSettings | undefined;
  #connection: RedisConnection | undefined;
  #events: Promise<KeyspaceEvents> | undefined;
  #telling = false;
  #closed = false;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
    this.#connectionDeps = connectionDeps(deps);
  }

  async init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void> {
    const settings = redisSettings(decodeRedisMetadata(CONFIGURATION_FIELDS, metadata, this.#deps));
    this.#settings = settings;
    this.#connection = new RedisConnection(settings, this.#connectionDeps());
    try {
      await this.#connection.open(signal);
    } catch (error) {
      throw new ComponentError(
        "unavailable",
        `redis store: error connecting to redis at ${settings.address}: ${errorMessage(error)}`,
        { cause: error },
      );
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#subscriptions.clear();
    this.#changed.clear();
    await this.#connection?.close();
    await (await this.#events?.catch(() => undefined))?.close();
  }

  async get({ keys }: ConfigurationGetRequest): Promise<ConfigurationItems> {
    const asked = keys.length === 0 ? await scanKeys(this.#open(), ALL_KEYS) : keys;
    const items: Record<string, ConfigurationItem> = {};
    for (const [key, item] of await this.#read(asked)) {
      if (item !== REMOVED) {
        items[key] = item;
      } else if (keys.length > 0) {
        this.#deps.logger.warn(`redis key ${key} does not exist, ignore it\n`);
      }
    }
    return items;
  }

  async subscribe(
    { keys }: ConfigurationGetRequest,
    listener: ConfigurationListener,
  ): Promise<ConfigurationSubscription> {
    const events = await this.#keyspaceEvents();
    const subscription: Subscription = { keys: keys.length === 0 ? undefined : new Set(keys), listener };
    const watched = [...(subscription.keys ?? [ALL_KEYS])];
    this.#subscriptions.add(subscription);
    try {
      await Promise.all(watched.map((key) => events.watch(key)));
    } catch (error) {
      this.#subscriptions.delete(subscription);
      await Promise.all(watched.map((key) => events.unwatch(key)));
      throw new ComponentError("unavailable", errorMessage(error), { cause: error });
    }
    return {
      close: async () => {
        if (this.#subscriptions.delete(subscription)) {
          await Promise.all(watched.map((key) => events.unwatch(key)));
        }
      },
    };
  }

  #open(): RedisConnection {
    if (this.#connection === undefined || this.#closed) {
      throw componentClosed();
    }
    return this.#connection;
  }

  /** Made on first use; a failed attempt is made again by the next subscription. */
  #keyspaceEvents(): Promise<KeyspaceEvents> {
    if (this.#closed) {
      return Promise.reject(componentClosed());
    }
    this.#events ??= this.#openEvents().catch((error: unknown) => {
      this.#events = undefined;
      throw error;
    });
    return this.#events;
  }

  async #openEvents(): Promise<KeyspaceEvents> {
    if (this.#settings === undefined) {
      throw componentClosed();
    }
    const events = new KeyspaceEvents(
      this.#settings,
      this.#connectionDeps(),
      (key) => this.#onChange(key),
      () => this.#onReconnected(),
    );
    await events.open(new AbortController().signal);
    return events;
  }

  #onChange(key: string): void {
    if (this.#changed.size >= LISTED_KEYS_MAX) {
      this.#deps.logger.error(
        `redis store: ${LISTED_KEYS_MAX} changed keys are waiting, the change of ${key} is not told`,
      );
      return;
    }
    this.#changed.add(key);
    if (!this.#telling) {
      this.#telling = true;
      void this.#tell();
    }
  }

  #onReconnected(): void {
    for (const { keys } of this.#subscriptions) {
      for (const key of keys ?? []) {
        this.#onChange(key);
      }
    }
  }

  /** One reading at a time, so that subscribers are told in order. */
  async #tell(): Promise<void> {
    try {
      while (this.#changed.size > 0) {
        const keys = [...this.#changed].slice(0, KEYS_PER_PAGE);
        for (const key of keys) {
          this.#changed.delete(key);
        }
        for (const [key, item] of await this.#read(keys)) {
          this.#notify(key, item);
        }
      }
    } catch (error) {
      this.#deps.logger.error(`get response from redis failed: ${errorMessage(error)}`);
    } finally {
      this.#telling = false;
    }
  }

  #notify(key: string, item: ConfigurationItem): void {
    for (const { keys, listener } of this.#subscriptions) {
      if (keys === undefined || keys.has(key)) {
        listener({ [key]: item });
      }
    }
  }

  /** Keys without a value, or with something other than a string, are REMOVED. */
  async #read(keys: readonly string[]): Promise<[string, ConfigurationItem][]> {
    const items: [string, ConfigurationItem][] = [];
    for (let from = 0; from < keys.length; from += KEYS_PER_PAGE) {
      const page = keys.slice(from, from + KEYS_PER_PAGE);
      const values = replyList(await this.#open().send(["MGET", ...page], REPEATABLE));
      for (const [index, key] of page.entries()) {
        const value = values[index];
        items.push([key, Buffer.isBuffer(value) ? itemOf(value.toString()) : REMOVED]);
      }
    }
    return items;
  }
}

/** What follows a second separator belongs to nothing; an empty value is as good as none. */
function itemOf(text: string): ConfigurationItem {
  const [value = "", version = ""] = text.split(SEPARATOR, 2);
  return value === "" ? REMOVED : { value, version, metadata: {} };
}
