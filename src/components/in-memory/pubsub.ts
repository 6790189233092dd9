import { errorMessage } from "../../kit/error-message.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import { ComponentError } from "../spi/errors.ts";
import {
  ConsumerGoneError,
  type MessageHandler,
  type PublishRequest,
  type PubSub,
  type PubSubMessage,
  type PubSubSubscription,
  type SubscribeRequest,
} from "../spi/pubsub.ts";
import { HANDLERS_MAX, MessageQueue } from "./message-queue.ts";

/** One instance's subscriptions to one topic or pattern. */
interface Member {
  readonly instance: InMemoryPubSub;
  readonly queues: Set<MessageQueue>;
}

/** The instances with one consumer id on one topic or pattern: each message goes to one of them. */
interface Group {
  readonly consumerId: string;
  readonly members: Member[];
}

/** A topic, or a pattern that ends in `*`, and who listens to it. */
interface Topic {
  readonly name: string;
  readonly groups: Group[];
}

/**
 * What the instances of one broker share. Every consumer id gets every message. Several instances with one id compete:
 * the least loaded one takes the message, and gives it to each of its own subscriptions.
 */
class Bus {
  readonly #topics = new Map<string, Topic>();
  readonly #patterns = new Set<Topic>();

  publish(request: PublishRequest): Promise<void> | undefined {
    const exact = this.#topics.get(request.topic);
    const waits: Promise<void>[] = [];
    if (exact !== undefined) {
      deliver(exact, request, waits);
    }
    for (const pattern of this.#patterns) {
      const prefix = pattern.name.slice(0, -1);
      if (pattern !== exact && request.topic.length > prefix.length && request.topic.startsWith(prefix)) {
        deliver(pattern, request, waits);
      }
    }
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }

  add(name: string, consumerId: string, instance: InMemoryPubSub, queue: MessageQueue): void {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = { name, groups: [] };
      this.#topics.set(name, topic);
      if (name.endsWith("*")) {
        this.#patterns.add(topic);
      }
    }
    let group = topic.groups.find((candidate) => candidate.consumerId === consumerId);
    if (group === undefined) {
      group = { consumerId, members: [] };
      topic.groups.push(group);
    }
    const member = group.members.find((candidate) => candidate.instance === instance);
    if (member === undefined) {
      group.members.push({ instance, queues: new Set([queue]) });
    } else {
      member.queues.add(queue);
    }
  }

  remove(name: string, consumerId: string, instance: InMemoryPubSub, queue: MessageQueue): void {
    const topic = this.#topics.get(name);
    const group = topic?.groups.find((candidate) => candidate.consumerId === consumerId);
    const member = group?.members.find((candidate) => candidate.instance === instance);
    if (topic === undefined || group === undefined || member === undefined) {
      return;
    }
    member.queues.delete(queue);
    if (member.queues.size === 0) {
      group.members.splice(group.members.indexOf(member), 1);
    }
    if (group.members.length === 0) {
      topic.groups.splice(topic.groups.indexOf(group), 1);
    }
    if (topic.groups.length === 0) {
      this.#topics.delete(name);
      this.#patterns.delete(topic);
    }
  }
}

/** The message carries the subscribed name, which for a pattern is the pattern: so does Dapr's. */
function deliver(topic: Topic, request: PublishRequest, waits: Promise<void>[]): void {
  const message: PubSubMessage = {
    topic: topic.name,
    data: request.data,
    contentType: undefined,
    metadata: request.metadata,
  };
  for (const group of topic.groups) {
    const member = group.members.length === 1 ? group.members[0] : leastLoaded(group);
    if (member === undefined) {
      continue;
    }
    for (const queue of member.queues) {
      const wait = queue.push(message);
      if (wait !== undefined) {
        waits.push(wait);
      }
    }
  }
}

/** The first of equals moves to the end, so that idle instances take turns. */
function leastLoaded(group: Group): Member | undefined {
  let best = 0;
  for (let index = 1; index < group.members.length; index += 1) {
    if (loadOf(group.members[index]) < loadOf(group.members[best])) {
      best = index;
    }
  }
  const [member] = group.members.splice(best, 1);
  if (member !== undefined) {
    group.members.push(member);
  }
  return member;
}

function loadOf(member: Member | undefined): number {
  let load = 0;
  for (const queue of member?.queues ?? []) {
    load += queue.load;
  }
  return load;
}

/** Makes `pubsub.in-memory`. Sidecars that share a scope share the broker of one component name. */
export function createInMemoryPubSub(deps: ComponentDeps): PubSub {
  return new InMemoryPubSub(deps);
}

/**
 * A broker in memory: no storage, no redelivery (a failed delivery is logged and the message is gone), a message without
 * subscribers vanishes. Handlers start in the order of publishing but run side by side; `concurrencyMode: single`, on
 * the component or on one subscription, keeps the order to the end. Dapr's always runs one at a time; here only bulk
 * subscriptions do, whose apps can tell, unless they ask for `parallel`.
 */
class InMemoryPubSub implements PubSub {
  readonly #deps: ComponentDeps;
  readonly #bus: Bus;
  readonly #subscriptions = new Set<PubSubSubscription>();
  #consumerId: string;
  #handlersMax = HANDLERS_MAX;
  #closed = false;

  constructor(deps: ComponentDeps) {
    this.#deps = deps;
    this.#bus = deps.shared.acquire(`pubsub.in-memory/${deps.name}`, () => new Bus());
    this.#consumerId = deps.appId;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    this.#consumerId = field(metadata, "consumerID").trim() || this.#deps.appId;
    this.#handlersMax = handlersMaxOf(metadata, HANDLERS_MAX);
  }

  publish(request: PublishRequest): Promise<void> {
    if (this.#closed) {
      return Promise.reject(componentClosed());
    }
    return this.#bus.publish(request) ?? TAKEN;
  }

  async subscribe(request: SubscribeRequest, handler: MessageHandler): Promise<PubSubSubscription> {
    if (this.#closed) {
      throw componentClosed();
    }
    const handlersMax = handlersMaxOf(request.metadata, request.bulk === true ? 1 : this.#handlersMax);
    const queue = new MessageQueue(handler, handlersMax, this.#deps.clock, this.#logFailure);
    const consumerId = this.#consumerId;
    this.#bus.add(request.topic, consumerId, this, queue);
    const subscription: PubSubSubscription = {
      close: () => {
        this.#bus.remove(request.topic, consumerId, this, queue);
        this.#subscriptions.delete(subscription);
        return queue.close();
      },
    };
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
  }

  readonly #logFailure = (error: unknown): void => {
    if (!(error instanceof ConsumerGoneError)) {
      this.#deps.logger.error(errorMessage(error));
    }
  };
}

const TAKEN = Promise.resolve();

function handlersMaxOf(metadata: ComponentMetadata, fallback: number): number {
  const mode = field(metadata, "concurrencyMode");
  switch (mode) {
    case "":
      return fallback;
    case "parallel":
      return HANDLERS_MAX;
    case "single":
      return 1;
    default:
      throw new ComponentError("invalidMetadata", `invalid concurrencyMode ${mode}: it must be single or parallel`);
  }
}

function field(metadata: ComponentMetadata, name: string): string {
  const lower = name.toLowerCase();
  for (const key in metadata) {
    if (key.toLowerCase() === lower) {
      return metadata[key] ?? "";
    }
  }
  return "";
}

function componentClosed(): ComponentError {
  return new ComponentError("unavailable", "component is closed");
}
