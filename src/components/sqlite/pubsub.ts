import type { Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Engine } from "../../storage/engine.ts";
import { openEngine } from "../../storage/open-engine.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import type { MessageHandler, PublishRequest, PubSub, PubSubSubscription, SubscribeRequest } from "../spi/pubsub.ts";
import type { RequestMetadata } from "../spi/request-metadata.ts";
import { databaseOf } from "./connection-string.ts";
import { reading, storing } from "./engine-calls.ts";
import { Consumer } from "./pubsub-consumer.ts";
import { PubSubHub } from "./pubsub-hub.ts";
import { checkTopic, publishParams } from "./pubsub-message.ts";
import { handlersMax, pubsubOptions, type PubSubOptions } from "./pubsub-options.ts";
import { PUBSUB_SCHEMA, PUBSUB_STATEMENTS, type PubSubStatement } from "./pubsub-schema.ts";
import { PubSubSweeper } from "./pubsub-sweeper.ts";

/** Makes `pubsub.sqlite`. */
export function createSqlitePubSub(deps: ComponentDeps): PubSub {
  return new SqlitePubSub(deps);
}

/** What an instance has while it is open. */
interface Open {
  readonly options: PubSubOptions;
  readonly engine: Engine<PubSubStatement>;
  readonly hub: PubSubHub;
  readonly sweeper: PubSubSweeper;
  readonly poll: Timer;
}

/**
 * A broker in a database file. Its publishers and subscribers may be several processes: each looks for the others'
 * messages every `pollInterval`, and is woken at once by its own.
 */
class SqlitePubSub implements PubSub {
  readonly #deps: ComponentDeps;
  readonly #consumers = new Set<Consumer>();
  readonly #subscriptions = new Set<PubSubSubscription>();
  #open: Open | undefined;
  #dataVersion: unknown;
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { clock, logger, shared } = this.#deps;
    const options = pubsubOptions(metadata, this.#deps);
    const database = databaseOf(options, logger, this.#deps.directory);
    const key = JSON.stringify(["pubsub.sqlite", database, database.journal === "memory" ? this.#deps.name : ""]);
    const hub = shared.acquire(key, () => new PubSubHub());
    const engine = await storing(
      hub.join(() => openEngine({ ...database, schema: PUBSUB_SCHEMA, statements: PUBSUB_STATEMENTS })),
    );
    if (this.#closed) {
      await hub.leave();
      return;
    }
    this.#open = {
      options,
      engine,
      hub,
      sweeper: new PubSubSweeper(engine, clock, logger),
      poll: clock.every(options.pollInterval, () => this.#poll()),
    };
  }

  async publish(request: PublishRequest): Promise<void> {
    const open = this.#opened();
    const params = publishParams(request, this.#deps.clock.now(), open.options.maxBacklog);
    const { changes } = await storing(open.engine.write([{ statement: "publish", params }]));
    if (changes[0] === 0) {
      return this.#notStored(open, request);
    }
    open.hub.wake(request.topic);
  }

  async subscribe(request: SubscribeRequest, handler: MessageHandler): Promise<PubSubSubscription> {
    const { engine, hub, options } = this.#opened();
    const { topic } = request;
    checkTopic(topic);
    const handlers = handlersOf(request.metadata, options);
    await storing(
      engine.write([
        { statement: "addTopic", params: [topic] },
        { statement: "addSubscription", params: [topic, options.consumer] },
      ]),
    );
    const row = reading(() => engine.read("findSubscription", [topic, options.consumer]));
    if (row === undefined || this.#closed) {
      throw closedError();
    }
    const [topicId, subscriptionId] = [Number(row[0]), Number(row[1])];
    const { clock, logger } = this.#deps;
    const consumer = new Consumer(
      {
        engine,
        clock,
        logger,
        topic,
        topicId,
        subscriptionId,
        handlersMax: handlers,
        processingTimeoutMs: options.processingTimeout,
        handlerTimeoutMs: options.handlerTimeout,
        backOffInitialMs: options.backOffInitialInterval,
        backOffMaxMs: options.backOffMaxInterval,
        deliveriesMax: options.maxDeliveries,
        deadLetterTopic: options.deadLetterTopic ?? "",
        published: (deadLetterTopic) => hub.wake(deadLetterTopic),
      },
      handler,
    );
    this.#consumers.add(consumer);
    hub.add(topic, consumer);
    consumer.wake();
    const subscription: PubSubSubscription = {
      close: async () => {
        hub.remove(topic, consumer);
        await consumer.close();
        this.#subscriptions.delete(subscription);
        this.#consumers.delete(consumer);
        hub.wake(topic);
      },
    };
    this.#subscriptions.add(subscription);
    return subscription;
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    const open = this.#open;
    if (open === undefined) {
      return;
    }
    open.poll.cancel();
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
    await open.sweeper.close();
    await open.hub.leave();
  }

  #opened(): Open {
    if (this.#open === undefined || this.#closed) {
      throw closedError();
    }
    return this.#open;
  }

  /** Either nobody subscribes to the topic, and then the message has no reader, or too much waits for its readers. */
  async #notStored(open: Open, request: PublishRequest): Promise<void> {
    const { engine, options, sweeper, hub } = open;
    if (reading(() => engine.read("storedMessages", [request.topic])) === undefined) {
      return;
    }
    await sweeper.sweep();
    const params = publishParams(request, this.#deps.clock.now(), options.maxBacklog);
    const { changes } = await storing(engine.write([{ statement: "publish", params }]));
    if (changes[0] === 0) {
      const last = String(reading(() => engine.read("lastConsumer", [request.topic]))?.[0]);
      throw new ComponentError(
        "unavailable",
        `topic ${request.topic} stores ${options.maxBacklog} messages that not all of its consumers have taken (maxBacklog of component ${this.#deps.name}); ` +
          `consumer ${last} has come least far: have its sidecar take them, or delete it from the table pubsub_subscriptions`,
      );
    }
    hub.wake(request.topic);
  }

  #poll(): void {
    if (this.#consumers.size === 0) {
      return;
    }
    try {
      const dataVersion = this.#open?.engine.read("dataVersion", [])?.[0];
      if (dataVersion !== this.#dataVersion) {
        this.#dataVersion = dataVersion;
        for (const consumer of this.#consumers) {
          consumer.poll();
        }
      }
      this.#deps.report("ready");
    } catch (error) {
      this.#deps.report("degraded", errorMessage(error));
      this.#deps.logger.error(`could not look for new messages: ${errorMessage(error)}`);
    }
  }
}

function handlersOf(metadata: RequestMetadata, options: PubSubOptions): number {
  for (const name in metadata) {
    if (name.toLowerCase() === "concurrencymode") {
      return handlersMax(metadata[name] || options.concurrencyMode, options.concurrency);
    }
  }
  return handlersMax(options.concurrencyMode, options.concurrency);
}

function closedError(): ComponentError {
  return new ComponentError("unavailable", "component is closed");
}
