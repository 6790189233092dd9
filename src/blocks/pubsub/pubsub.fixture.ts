import type { AppChannel, DeliveryOutcome, SubscriptionSpec, TopicBulk, TopicEvent } from "../../app/types.ts";
import type { ComponentManifest, ComponentMetadata } from "../../components/spi/component.ts";
import type {
  MessageHandler,
  PublishRequest,
  PubSub,
  PubSubMessage,
  SubscribeRequest,
} from "../../components/spi/pubsub.ts";
import type { ComponentView, Loaded } from "../../inventory/types.ts";
import type { Logger, LogLevel } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { createPubSubBlock, type PubSubBlock } from "./pubsub-block.ts";

/** A broker that keeps what it is given; tests hand messages to its subscribers themselves. */
export class FakeBroker implements PubSub {
  readonly published: PublishRequest[] = [];
  readonly handlers = new Map<string, MessageHandler>();
  readonly subscribes: SubscribeRequest[] = [];
  publishError: ((request: PublishRequest) => Error | undefined) | undefined;
  subscribeError: Error | undefined;
  /** Set: `close` of a subscription waits for it. */
  closing: Promise<void> | undefined;

  async init(): Promise<void> {}
  async close(): Promise<void> {}

  async publish(request: PublishRequest): Promise<void> {
    await Promise.resolve();
    const error = this.publishError?.(request);
    if (error !== undefined) {
      throw error;
    }
    this.published.push(request);
  }

  async subscribe(request: SubscribeRequest, handler: MessageHandler) {
    if (this.subscribeError !== undefined) {
      throw this.subscribeError;
    }
    this.subscribes.push(request);
    this.handlers.set(request.topic, handler);
    return {
      close: async () => {
        this.handlers.delete(request.topic);
        await this.closing;
      },
    };
  }

  /** Hands a message to the topic's subscriber; settles as the broker would see it. */
  push(topic: string, data: string | Uint8Array, rest: Partial<PubSubMessage> = {}): Promise<void> {
    const handler = this.handlers.get(topic);
    if (handler === undefined) {
      throw new Error(`nobody is subscribed to ${topic}`);
    }
    return handler(
      { topic, data: Buffer.from(data), contentType: undefined, metadata: {}, ...rest },
      new AbortController().signal,
    );
  }
}

/** An app that answers as it is told. */
export class FakeChannel implements AppChannel {
  readonly protocol = "http";
  readonly events: TopicEvent[] = [];
  subscriptions: readonly SubscriptionSpec[] | Error = [];
  asked = 0;
  answer: (event: TopicEvent, signal: AbortSignal) => Promise<DeliveryOutcome> | DeliveryOutcome = () => ({
    kind: "success",
  });

  invoke(): Promise<never> {
    return Promise.reject(new Error("not in these tests"));
  }

  async listSubscriptions(): Promise<readonly SubscriptionSpec[]> {
    this.asked += 1;
    if (this.subscriptions instanceof Error) {
      throw this.subscriptions;
    }
    return this.subscriptions;
  }

  async deliver(event: TopicEvent, signal: AbortSignal): Promise<DeliveryOutcome> {
    this.events.push(event);
    return this.answer(event, signal);
  }

  readonly bulks: TopicBulk[] = [];

  async deliverBulk(bulk: TopicBulk, signal: AbortSignal): Promise<readonly DeliveryOutcome[]> {
    this.bulks.push(bulk);
    return Promise.all(bulk.entries.map(async ({ event }) => this.answer(event, signal)));
  }

  takesBinding(): Promise<never> {
    return Promise.reject(new Error("not in these tests"));
  }

  triggerJob(): Promise<never> {
    return Promise.reject(new Error("not in these tests"));
  }

  deliverBindingEvent(): Promise<never> {
    return Promise.reject(new Error("not in these tests"));
  }

  async probe(): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {}
}

/** Lets promises that are already resolved run their course. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

export class FakeLogger implements Logger {
  readonly lines: string[] = [];
  debug = (message: string): void => this.#add("debug", message);
  info = (message: string): void => this.#add("info", message);
  warn = (message: string): void => this.#add("warn", message);
  error = (message: string): void => this.#add("error", message);
  fatal = (message: string): void => this.#add("fatal", message);
  enabled = (): boolean => true;
  scope = (): Logger => this;

  #add(level: LogLevel, message: string): void {
    this.lines.push(`${level} ${message}`);
  }
}

/** Ids that count up. */
export function countingRandom(): Random {
  let count = 0;
  return {
    uuid: () => `id-${++count}`,
    bytes: (length) => new Uint8Array(length),
    next: () => 0.5,
  };
}

type Listener = (name: string, loaded: Loaded<PubSub> | undefined) => void;

/** Loaded brokers that a test adds and removes. */
export class FakeBrokers implements ComponentView<PubSub> {
  readonly #loaded = new Map<string, Loaded<PubSub>>();
  readonly #listeners: Listener[] = [];

  get size(): number {
    return this.#loaded.size;
  }

  get(name: string): Loaded<PubSub> | undefined {
    return this.#loaded.get(name);
  }

  values(): Iterable<Loaded<PubSub>> {
    return this.#loaded.values();
  }

  watch(listener: Listener): void {
    this.#listeners.push(listener);
    for (const loaded of this.#loaded.values()) {
      listener(loaded.name, loaded);
    }
  }

  add(
    name: string,
    component: PubSub,
    options: { metadata?: ComponentMetadata; capabilities?: string[]; namespaceScoped?: boolean } = {},
  ): void {
    const manifest = { type: "pubsub.fake", capabilities: options.capabilities ?? [] } as unknown as ComponentManifest;
    const loaded: Loaded<PubSub> = {
      name,
      manifest,
      version: "v1",
      metadata: options.metadata ?? {},
      secretNames: {},
      namespaceScoped: options.namespaceScoped ?? false,
      component,
    };
    this.#loaded.set(name, loaded);
    this.#tell(name, loaded);
  }

  remove(name: string): void {
    this.#loaded.delete(name);
    this.#tell(name, undefined);
  }

  #tell(name: string, loaded: Loaded<PubSub> | undefined): void {
    for (const listener of this.#listeners) {
      listener(name, loaded);
    }
  }
}

/** A block over one fake broker named `pubsub`, for the app `shop` in the namespace `prod`. */
export interface BlockFixture {
  readonly block: PubSubBlock;
  readonly broker: FakeBroker;
  readonly brokers: FakeBrokers;
  readonly clock: VirtualClock;
  readonly logger: FakeLogger;
  readonly random: Random;
}

export function createBlockFixture(options: Parameters<FakeBrokers["add"]>[2] = {}): BlockFixture {
  const broker = new FakeBroker();
  const brokers = new FakeBrokers();
  brokers.add("pubsub", broker, options);
  const clock = new VirtualClock(Date.parse("2026-03-01T12:00:00.750Z"));
  const logger = new FakeLogger();
  const random = countingRandom();
  const block = createPubSubBlock({ brokers, appId: "shop", namespace: "prod", clock, random, logger });
  return { block, broker, brokers, clock, logger, random };
}

export function subscriptionTo(topic: string, rest: Partial<SubscriptionSpec> = {}): SubscriptionSpec {
  return {
    pubsubName: "pubsub",
    topic,
    metadata: {},
    rules: [{ match: "", path: `/${topic}` }],
    deadLetterTopic: "",
    bulk: { enabled: false, maxMessagesCount: 0, maxAwaitDurationMs: 0 },
    ...rest,
  };
}

/** JSON of bytes, for assertions. */
export function parsed(data: Uint8Array | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(data ?? []).toString()) as Record<string, unknown>;
}
