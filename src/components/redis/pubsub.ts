import { errorMessage } from "../../kit/error-message.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import type { MessageHandler, PublishRequest, PubSub, PubSubSubscription, SubscribeRequest } from "../spi/pubsub.ts";
import { connectionDeps } from "./connection-deps.ts";
import { REPEATABLE, RedisConnection } from "./connection.ts";
import { componentClosed } from "./errors.ts";
import { PUBSUB_FIELDS } from "./fields.ts";
import { HandlerSlots } from "./handler-slots.ts";
import { type PubSubOptions, pubsubOptions } from "./pubsub-options.ts";
import { decodeRedisMetadata, redisSettings, type RedisSettings } from "./settings.ts";
import { StreamConsumer } from "./stream-consumer.ts";
import { entryFields } from "./stream-entry.ts";

/** What `init` makes. */
interface Broker {
  readonly settings: RedisSettings;
  readonly options: PubSubOptions;
  readonly connection: RedisConnection;
  /** The component's, as in Dapr: all its subscriptions share them. */
  readonly slots: HandlerSlots;
}

/**
 * Dapr's `pubsub.redis`: a stream per topic, a consumer group per consumer id. A message is acknowledged after its
 * handler succeeded; one that failed, or whose sidecar died, is delivered again after `processingTimeout`.
 */
export class RedisPubSub implements PubSub {
  readonly #deps: ComponentDeps;
  readonly #connectionDeps: () => ComponentDeps;
  readonly #consumers = new Set<StreamConsumer>();
  #broker: Broker | undefined;
  #closed = false;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
    this.#connectionDeps = connectionDeps(deps);
  }

  async init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void> {
    const decoded = decodeRedisMetadata(PUBSUB_FIELDS, metadata, this.#deps);
    const settings = redisSettings(decoded);
    const options = pubsubOptions(decoded, this.#deps.appId);
    const connection = new RedisConnection(settings, this.#connectionDeps());
    this.#broker = { settings, options, connection, slots: new HandlerSlots(options.concurrency) };
    try {
      await connection.open(signal);
    } catch (error) {
      throw new ComponentError(
        "unavailable",
        `redis streams: error connecting to redis at ${settings.address}: ${errorMessage(error)}`,
        { cause: error },
      );
    }
    if (options.maxLenApprox > 0 && options.streamTtlMs !== undefined) {
      this.#deps.logger.warn(
        "redis streams: maxLenApprox and streamTTL cannot be used together; only one stream trimming strategy can be active at a time.",
      );
    }
  }

  /** A message whose reply was lost is sent again: it may stand in the stream twice. */
  async publish(request: PublishRequest): Promise<void> {
    const { connection, options } = this.#open();
    try {
      await connection.send(["XADD", request.topic, ...this.#trim(options), "*", ...entryFields(request)], REPEATABLE);
    } catch (error) {
      const kind = error instanceof ComponentError ? error.kind : "unavailable";
      throw new ComponentError(kind, `redis streams: error from publish: ${errorMessage(error)}`, { cause: error });
    }
  }

  async subscribe({ topic }: SubscribeRequest, handler: MessageHandler): Promise<PubSubSubscription> {
    const { settings, options, connection, slots } = this.#open();
    const deps = this.#connectionDeps();
    const consumer = new StreamConsumer({ settings, options, connection, slots, deps, topic, handler });
    this.#consumers.add(consumer);
    const close = async (): Promise<void> => {
      await consumer.close();
      this.#consumers.delete(consumer);
    };
    try {
      await consumer.start();
    } catch (error) {
      await close();
      throw error;
    }
    return { close };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#consumers].map((consumer) => consumer.close()));
    await this.#broker?.connection.close();
  }

  #open(): Broker {
    if (this.#closed || this.#broker === undefined) {
      throw componentClosed();
    }
    return this.#broker;
  }

  #trim({ maxLenApprox, streamTtlMs }: PubSubOptions): string[] {
    if (maxLenApprox > 0) {
      return ["MAXLEN", "~", String(maxLenApprox)];
    }
    return streamTtlMs === undefined ? [] : ["MINID", "~", `${Math.trunc(this.#deps.clock.now() - streamTtlMs)}-1`];
  }
}
