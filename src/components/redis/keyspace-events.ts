import type { Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { ComponentDeps } from "../spi/component.ts";
import { type RedisClient, sendRaw } from "./client.ts";
import { RedisConnection } from "./connection.ts";
import { HEARTBEAT_PERIOD_MS } from "./limits.ts";
import { replyList, replyText } from "./replies.ts";
import type { RedisSettings } from "./settings.ts";

/** What the server must announce: keyspace events (`K`) of generic and string commands, of expiry and eviction. */
const EVENT_CLASSES = ["K", "g", "$", "x", "e"];

/** `A` in the server's setting stands for all classes but `K`, `E` and a few that are none of ours. */
const ALL_CLASSES = "A";

/** All keys of the database. */
export const ALL_KEYS = "*";

/**
 * The server's announcements of changed keys, over a connection that does nothing else. After an outage the channels are
 * subscribed again and `onReconnected` is told, since what changed meanwhile was not announced.
 */
export class KeyspaceEvents {
  readonly #connection: RedisConnection;
  readonly #deps: ComponentDeps;
  readonly #prefix: string;
  readonly #onChange: (key: string) => void;
  readonly #onReconnected: () => void;
  /** Key → how many want it. */
  readonly #wanted = new Map<string, number>();
  #heartbeat: Timer | undefined;
  #connected = false;

  constructor(
    settings: RedisSettings,
    deps: ComponentDeps,
    onChange: (key: string) => void,
    onReconnected: () => void,
  ) {
    this.#deps = deps;
    this.#prefix = `__keyspace@${settings.database}__:`;
    this.#onChange = onChange;
    this.#onReconnected = onReconnected;
    this.#connection = new RedisConnection(settings, deps, {
      // Before the first subscription: after it the connection takes no such commands.
      prepare: (client) => this.#announce(client),
      ready: (client) => void this.#subscribeAll(client),
    });
  }

  /** @throws ComponentError `unavailable` */
  async open(signal: AbortSignal): Promise<void> {
    await this.#connection.open(signal);
    this.#heartbeat = this.#deps.clock.every(HEARTBEAT_PERIOD_MS, () => {
      // A reply that does not come ends the connection; that is all this is for.
      this.#connection.send(["PING"]).catch(() => undefined);
    });
  }

  async close(): Promise<void> {
    this.#heartbeat?.cancel();
    await this.#connection.close();
  }

  /** Resolves when changes from now on are announced; during an outage at once, the keys are subscribed after it. */
  async watch(key: string): Promise<void> {
    const count = this.#wanted.get(key) ?? 0;
    this.#wanted.set(key, count + 1);
    const { client } = this.#connection;
    if (client !== undefined) {
      await this.#subscribe(client, key);
    }
  }

  async unwatch(key: string): Promise<void> {
    const count = this.#wanted.get(key) ?? 0;
    if (count > 1) {
      this.#wanted.set(key, count - 1);
      return;
    }
    this.#wanted.delete(key);
    const { client } = this.#connection;
    const channel = this.#prefix + key;
    // A connection that is lost meanwhile has no subscriptions any more.
    await (key === ALL_KEYS ? client?.pUnsubscribe(channel) : client?.unsubscribe(channel))?.catch(() => undefined);
  }

  async #subscribeAll(client: RedisClient): Promise<void> {
    const isFirst = !this.#connected;
    this.#connected = true;
    try {
      await Promise.all([...this.#wanted.keys()].map((key) => this.#subscribe(client, key)));
    } catch (error) {
      // Either the connection is lost, and the next one does it, or the server does not allow it.
      this.#deps.logger.error(`redis store: cannot subscribe to changes: ${errorMessage(error)}`);
      return;
    }
    if (!isFirst) {
      this.#onReconnected();
    }
  }

  /** Adds what is missing to the server's setting and leaves the rest of it as it is. */
  async #announce(client: RedisClient): Promise<void> {
    try {
      const reply = replyList(await sendRaw(client, ["CONFIG", "GET", "notify-keyspace-events"]));
      const present = replyText(reply[1]) ?? "";
      const missing = EVENT_CLASSES.filter(
        (name) => !present.includes(name) && (name === "K" || !present.includes(ALL_CLASSES)),
      );
      if (missing.length > 0) {
        await sendRaw(client, ["CONFIG", "SET", "notify-keyspace-events", present + missing.join("")]);
      }
    } catch (error) {
      this.#deps.logger.warn(
        `redis store: cannot set notify-keyspace-events, so changes are only told if it holds ${EVENT_CLASSES.join("")} already: ${errorMessage(error)}`,
      );
    }
  }

  async #subscribe(client: RedisClient, key: string): Promise<void> {
    const channel = this.#prefix + key;
    await (key === ALL_KEYS ? client.pSubscribe(channel, this.#listener) : client.subscribe(channel, this.#listener));
  }

  readonly #listener = (_event: string, channel: string): void => {
    this.#onChange(channel.slice(this.#prefix.length));
  };
}
