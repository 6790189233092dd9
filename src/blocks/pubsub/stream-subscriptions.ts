import type { TopicEventStatus } from "../../app/topic-response.ts";
import type { SubscriptionSpec, TopicEvent } from "../../app/types.ts";
import { errorMessage } from "../../kit/error-message.ts";
import { Cancellation, type CancelSignal } from "../../kit/cancel-signal.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Broker, Brokers } from "./brokers.ts";
import {
  invalidRequestMetadata,
  pubsubNotFound,
  streamClosed,
  streamNamesNoPubsub,
  streamNamesNoTopic,
  streamRefused,
} from "./errors.ts";
import { EventStream } from "./event-stream.ts";
import { RunningSubscription, type SubscriptionRuntime } from "./running-subscription.ts";
import type { ListedSubscription } from "./subscription-list.ts";

/** Streams that apps may hold open at one sidecar. */
export const STREAMS_MAX = 10_000;

/** What an app asks for when it opens a stream. */
export interface StreamRequest {
  readonly pubsubName: string;
  readonly topic: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Empty: none. */
  readonly deadLetterTopic: string;
}

/** The door's end of a stream. */
export interface StreamSink {
  /** @throws Error when the event does not fit into the stream's message; it is then as if the app had failed */
  send(event: TopicEvent): void;
  /** The sidecar ends the stream; nothing is sent any more. */
  end(error: Error): void;
}

/** A live streaming subscription as the door sees it. */
export interface OpenStream {
  /** What the app says about an event, by its id; an answer that nobody waits for is logged. */
  answer(eventId: string, status: TopicEventStatus): void;
  /** The app is gone: what it has not answered stays at the broker. Resolves when the broker has let go. */
  close(): Promise<void>;
}

/** Subscriptions that apps open by a stream of their own, for as long as the stream lasts. */
export interface StreamSubscriptions {
  /** Aborted once no stream is taken any more. */
  readonly closing: CancelSignal;
  /** Resolves when the subscription is live. @throws ApiError */
  open(request: StreamRequest, sink: StreamSink): Promise<OpenStream>;
}

/** One stream with what it stands for. */
class Live implements OpenStream {
  readonly listed: ListedSubscription;
  #running: RunningSubscription;
  readonly #stream: EventStream;
  readonly #sink: StreamSink;
  readonly #connectionId: number;
  readonly #logger: Logger;
  readonly #ended: (live: Live) => void;
  #ending: Promise<void> | undefined;

  constructor(
    running: RunningSubscription,
    stream: EventStream,
    sink: StreamSink,
    connectionId: number,
    logger: Logger,
    ended: (live: Live) => void,
  ) {
    this.listed = { spec: running.spec, type: "STREAMING", source: { kind: "streaming" } };
    this.#running = running;
    this.#stream = stream;
    this.#sink = sink;
    this.#connectionId = connectionId;
    this.#logger = logger;
    this.#ended = ended;
  }

  answer(eventId: string, status: TopicEventStatus): void {
    if (!this.#stream.answer(eventId, status)) {
      this.#logger.error(
        `no client stream expecting publish response for id ${eventId} ConnectionID${this.#connectionId}`,
      );
    }
  }

  close(): Promise<void> {
    if (this.#ending === undefined) {
      this.#ending = this.#abandon();
    } else {
      this.#stream.end();
    }
    return this.#ending;
  }

  /**
   * The sidecar's own end: takes nothing new, waits for the app's answers, then ends the stream.
   * @param graceful the sidecar stops: a broker that can pause is paused first
   */
  drain(graceful: boolean): Promise<void> {
    this.#ending ??= this.#drain(graceful);
    return this.#ending;
  }

  /**
   * Goes on at the broker that has taken the place of its own: events that the app has not answered yet are waited for at
   * the old one, while the new one already hands out others. Ends the stream where the new one cannot be subscribed to.
   */
  async moveTo(broker: Broker, runtime: SubscriptionRuntime): Promise<void> {
    if (this.#ending !== undefined) {
      await this.#ending;
      return;
    }
    const before = this.#running;
    try {
      const next = await RunningSubscription.start(before.spec, broker, this.#stream, runtime);
      // It may have been closed meanwhile, which has stopped what it ran on.
      if (this.#ending === undefined) {
        this.#running = next;
      } else {
        await next.stop();
      }
    } catch (error) {
      this.#logger.error(
        `streaming subscription for pubsub ${broker.name}, topic ${before.spec.topic} ends, since its new component cannot be subscribed to: ${errorMessage(error)}`,
      );
      await this.drain(false);
      return;
    }
    await before.stop();
  }

  async #abandon(): Promise<void> {
    const { pubsubName, topic } = this.#running.spec;
    this.#logger.info(`Unsubscribed from pubsub '${pubsubName}' topic '${topic}'`);
    this.#ended(this);
    // The broker hears of the end first, so that it does not hand the same messages to this stream again.
    const stopping = this.#running.stop();
    this.#stream.end();
    await stopping;
  }

  async #drain(graceful: boolean): Promise<void> {
    await this.#running.stop({ graceful });
    this.#stream.end();
    this.#ended(this);
    this.#sink.end(streamClosed());
  }
}

/** Opens and ends streams; each is a subscription of its own, beside all others of its topic. */
export class StreamManager implements StreamSubscriptions {
  readonly #runtime: SubscriptionRuntime;
  readonly #brokers: Brokers;
  readonly #logger: Logger;
  readonly #live = new Set<Live>();
  readonly #closing = new Cancellation();
  #opening = 0;
  #connections = 0;

  constructor(runtime: SubscriptionRuntime, brokers: Brokers, logger: Logger) {
    this.#runtime = runtime;
    this.#brokers = brokers;
    this.#logger = logger.scope("dapr.runtime.pubsub.streamer");
  }

  get closing(): CancelSignal {
    return this.#closing;
  }

  async open(request: StreamRequest, sink: StreamSink): Promise<OpenStream> {
    const { pubsubName, topic } = request;
    if (pubsubName === "") {
      throw streamNamesNoPubsub();
    }
    if (topic === "") {
      throw streamNamesNoTopic();
    }
    if (this.#closing.aborted) {
      throw invalidRequestMetadata("", {}, "subscriber is closed");
    }
    if (this.#live.size + this.#opening >= STREAMS_MAX) {
      throw streamRefused(
        pubsubName,
        `the sidecar has ${STREAMS_MAX} streams open, which is its limit; close some, or let one stream's events be handled side by side`,
      );
    }
    this.#opening += 1;
    try {
      return await this.#start(specOf(request), sink);
    } finally {
      this.#opening -= 1;
    }
  }

  list(): readonly ListedSubscription[] {
    return Array.from(this.#live, ({ listed }) => listed);
  }

  /** The broker was replaced, and its streams go on at the new one, or it is gone: they end, and apps open new ones. */
  async follow(pubsub: string, broker: Broker | undefined): Promise<void> {
    const live = [...this.#live].filter(({ listed }) => listed.spec.pubsubName === pubsub);
    await Promise.all(
      live.map((stream) => (broker === undefined ? stream.drain(false) : stream.moveTo(broker, this.#runtime))),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort(streamClosed());
    await Promise.all(Array.from(this.#live, (stream) => stream.drain(true)));
  }

  async #start(spec: SubscriptionSpec, sink: StreamSink): Promise<OpenStream> {
    const broker = this.#brokers.get(spec.pubsubName);
    if (broker === undefined) {
      throw pubsubNotFound(spec.pubsubName, {});
    }
    const stream = new EventStream((event) => sink.send(event));
    let running: RunningSubscription;
    try {
      running = await RunningSubscription.start(spec, broker, stream, this.#runtime);
    } catch (error) {
      throw streamRefused(spec.pubsubName, errorMessage(error), error);
    }
    this.#connections += 1;
    const live = new Live(running, stream, sink, this.#connections, this.#logger, (ended) => this.#live.delete(ended));
    this.#live.add(live);
    this.#logger.info(
      `Subscribing to pubsub '${spec.pubsubName}' topic '${spec.topic}' ConnectionID ${this.#connections}`,
    );
    const current = this.#brokers.get(spec.pubsubName);
    if (this.#closing.aborted || current === undefined) {
      void live.drain(false);
    } else if (current !== broker) {
      void live.moveTo(current, this.#runtime);
    }
    return live;
  }
}

function specOf(request: StreamRequest): SubscriptionSpec {
  return {
    ...request,
    rules: [{ match: "", path: "/" }],
    bulk: { enabled: false, maxMessagesCount: 0, maxAwaitDurationMs: 0 },
  };
}
