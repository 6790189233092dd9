import type { BulkPublishMessage, PublishRequest, PubSub } from "../../components/spi/pubsub.ts";
import type { RequestMetadata } from "../../components/spi/request-metadata.ts";
import type { ComponentView } from "../../inventory/types.ts";
import type { ApiError } from "../../errors/error.ts";
import { isCloudEventContentType } from "../../kit/content-type.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Random } from "../../kit/random.ts";
import type { TraceContext, Tracer } from "../../kit/trace-context.ts";
import { type Broker, type Brokers, watchBrokers } from "./brokers.ts";
import {
  type BulkPublishCall,
  type BulkPublishEntry,
  type BulkPublishOutcome,
  type BulkResult,
  publishAtOnce,
  publishInParallel,
  wrapEntries,
} from "./bulk-publish.ts";
import { ProducerSpans } from "./producer-spans.ts";
import { type ComponentPolicies, guarded, NO_POLICIES } from "../component-policy.ts";
import { completeEnvelope, newEnvelope, NotACloudEventError, NO_TRACE } from "./envelope.ts";
import {
  cloudEventCreation,
  invalidRequestMetadata,
  marshalEnvelope,
  publishFailed,
  pubsubGone,
  pubsubNameEmpty,
  pubsubNotFound,
  topicEmpty,
  topicForbidden,
  unmarshalEvents,
} from "./errors.ts";
import { publishBulkGuarded, publishStatusOf } from "./guarded-publish.ts";
import type { PublishOrigin } from "./publish-origin.ts";
import { overridesOf, rawPayloadOf, ttlMsOf } from "./message-metadata.ts";
import { NO_METRICS, type PubSubMetrics } from "./metrics.ts";
import { Rfc3339Clock } from "./rfc3339-clock.ts";

/** One message to publish. */
export interface PublishCall {
  readonly pubsub: string;
  readonly topic: string;
  readonly data: Uint8Array;
  /** Empty: text/plain. */
  readonly contentType: string;
  readonly metadata: RequestMetadata;
  /** Trace context of the request, if it has one. */
  readonly trace?: TraceContext | undefined;
  /** The sidecar's own publishes count as gRPC. */
  readonly origin?: PublishOrigin | undefined;
}

/** Publishing, the same for every door. Errors are ApiErrors of the pub/sub catalogue. */
export interface PubSubBlock {
  /** The loaded brokers; the subscriptions share them. */
  readonly brokers: Brokers;
  /** Resolves when the broker has taken the message. */
  publish(call: PublishCall): Promise<void>;
  /**
   * Publishes entries side by side; there is no promise about their order.
   * @returns what could not be published; requests that are wrong as a whole throw
   */
  bulkPublish(call: BulkPublishCall): Promise<BulkPublishOutcome>;
  /** Checks that the broker exists, a topic is given and the metadata can be read: before a door looks into a list of entries. */
  requireTarget(pubsub: string, topic: string, metadata: RequestMetadata): void;
  /** The error for a list of entries that a door cannot read (`unmarshal`), or for an entry that does not fit its content type. */
  entriesError(kind: "unmarshal" | "mismatch", pubsub: string, topic: string, reason: string): ApiError;
  /** Hands bytes to a broker as they are, scopes and topic prefix applied: dead letters. @throws Error of the broker */
  forward(
    pubsub: string,
    topic: string,
    data: Uint8Array,
    contentType: string | undefined,
    metadata: RequestMetadata,
  ): Promise<void>;
}

export interface PubSubBlockDeps {
  readonly brokers: ComponentView<PubSub>;
  readonly appId: string;
  readonly namespace: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics?: PubSubMetrics | undefined;
  readonly policies?: ComponentPolicies | undefined;
  /** Absent: the messages of a list share their request's context. */
  readonly tracer?: Tracer | undefined;
}

export function createPubSubBlock(deps: PubSubBlockDeps): PubSubBlock {
  return new Publisher(deps);
}

class Publisher implements PubSubBlock {
  readonly brokers: Brokers;
  readonly #appId: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #metrics: PubSubMetrics;
  readonly #time: Rfc3339Clock;
  readonly #tracer: Tracer | undefined;

  constructor(deps: PubSubBlockDeps) {
    this.brokers = watchBrokers(deps.brokers, deps.appId, deps.namespace, deps.policies ?? NO_POLICIES);
    this.#appId = deps.appId;
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#logger = deps.logger.scope("dapr.runtime.pubsub.publisher");
    this.#metrics = deps.metrics ?? NO_METRICS;
    this.#time = new Rfc3339Clock(deps.clock);
    this.#tracer = deps.tracer;
  }

  requireTarget(pubsub: string, topic: string, metadata: RequestMetadata): void {
    this.#target(pubsub, topic, metadata);
    this.#isRaw(pubsub, metadata);
  }

  entriesError(kind: "unmarshal" | "mismatch", pubsub: string, topic: string, reason: string): ApiError {
    const make = kind === "unmarshal" ? unmarshalEvents : marshalEnvelope;
    return make(pubsub, topic, this.#appId, reason);
  }

  async publish(call: PublishCall): Promise<void> {
    const broker = this.#target(call.pubsub, call.topic, call.metadata);
    const raw = this.#isRaw(call.pubsub, call.metadata);
    const data = raw ? call.data : this.#envelope(broker, call);
    const metadata = raw && call.trace !== undefined ? withTrace(call.metadata, call.trace) : call.metadata;
    this.#requireAllowed(broker, call.topic);
    const startedMs = this.#clock.monotonicMs();
    let success = false;
    try {
      const request = { topic: broker.topicPrefix + call.topic, data, contentType: undefined, metadata };
      await this.#hand(broker, request, call.origin);
      success = true;
    } catch (cause) {
      throw publishFailed(call.pubsub, call.topic, cause);
    } finally {
      this.#metrics.egress(call.pubsub, call.topic, success, this.#clock.monotonicMs() - startedMs);
    }
  }

  async bulkPublish(call: BulkPublishCall): Promise<BulkPublishOutcome> {
    const broker = this.#target(call.pubsub, call.topic, call.metadata);
    const raw = this.#isRaw(call.pubsub, call.metadata);
    const spans =
      raw || this.#tracer === undefined ? undefined : new ProducerSpans(this.#tracer, call.trace, call.topic);
    let messages: readonly BulkPublishMessage[];
    try {
      messages = wrapEntries(call, this.#appId, (entry, metadata) =>
        raw ? entry.event : this.#entryEnvelope(broker, call, entry, metadata, spans?.next() ?? call.trace),
      );
      this.#requireAllowed(broker, call.topic);
    } catch (error) {
      spans?.end(errorMessage(error));
      throw error;
    }
    const startedMs = this.#clock.monotonicMs();
    const { failedEntries, cause } = await this.#publishAll(broker, call, messages);
    const published = messages.length - failedEntries.length;
    const success = cause === undefined;
    spans?.end(success ? undefined : errorMessage(cause));
    this.#metrics.bulkEgress(call.pubsub, call.topic, success, published, this.#clock.monotonicMs() - startedMs);
    return { failedEntries, failure: success ? undefined : publishFailed(call.pubsub, call.topic, cause) };
  }

  #entryEnvelope(
    broker: Broker,
    { pubsub, topic }: BulkPublishCall,
    { event, contentType }: BulkPublishEntry,
    metadata: RequestMetadata,
    trace: TraceContext | undefined,
  ): Uint8Array {
    return this.#envelope(broker, { pubsub, topic, data: event, contentType, metadata, trace });
  }

  #publishAll(broker: Broker, call: BulkPublishCall, messages: readonly BulkPublishMessage[]): Promise<BulkResult> {
    const { component } = broker.loaded;
    const topic = broker.topicPrefix + call.topic;
    const attempt = broker.takesBulks
      ? (some: readonly BulkPublishMessage[]) => publishAtOnce(component, topic, some, call.metadata)
      : (some: readonly BulkPublishMessage[]) => publishInParallel(component, topic, some);
    if (!broker.takesBulks) {
      this.#logger.debug(
        `pubsub ${call.pubsub} does not implement the BulkPublish API; falling back to publishing messages individually`,
      );
    }
    const policy = broker.publishPolicy;
    return policy === undefined
      ? attempt(messages)
      : publishBulkGuarded(policy, call.origin ?? "grpc", messages, attempt);
  }

  /** Gives one message to the broker, as often as its policy says. */
  #hand(
    { loaded, publishPolicy: policy }: Broker,
    request: PublishRequest,
    origin: PublishOrigin = "grpc",
  ): Promise<void> {
    const { component } = loaded;
    return policy === undefined
      ? component.publish(request)
      : guarded(policy, () => component.publish(request), { statusOf: (error) => publishStatusOf(origin, error) });
  }

  async forward(
    pubsub: string,
    topic: string,
    data: Uint8Array,
    contentType: string | undefined,
    metadata: RequestMetadata,
  ): Promise<void> {
    const broker = this.brokers.get(pubsub);
    if (broker === undefined) {
      throw pubsubGone(pubsub, topic);
    }
    this.#requireAllowed(broker, topic);
    await this.#hand(broker, { topic: broker.topicPrefix + topic, data, contentType, metadata });
  }

  #target(pubsub: string, topic: string, metadata: RequestMetadata): Broker {
    if (pubsub === "") {
      throw pubsubNameEmpty(metadata);
    }
    const broker = this.brokers.get(pubsub);
    if (broker === undefined) {
      throw pubsubNotFound(pubsub, metadata);
    }
    if (topic === "") {
      throw topicEmpty(pubsub, metadata);
    }
    return broker;
  }

  #isRaw(pubsub: string, metadata: RequestMetadata): boolean {
    const raw = rawPayloadOf(metadata);
    if (typeof raw === "object") {
      throw invalidRequestMetadata(pubsub, metadata, raw.invalid);
    }
    return raw;
  }

  #requireAllowed(broker: Broker, topic: string): void {
    if (!broker.scopes.mayPublish(topic)) {
      throw topicForbidden(broker.name, topic, this.#appId);
    }
  }

  #envelope(broker: Broker, call: PublishCall): Uint8Array {
    const ttlMs = broker.expiresMessages ? undefined : ttlMsOf(call.metadata);
    const facts = {
      pubsub: broker.name,
      topic: call.topic,
      time: this.#time.now(),
      expiration: ttlMs === undefined ? undefined : this.#time.after(ttlMs),
      trace: call.trace ?? NO_TRACE,
    };
    if (!isCloudEventContentType(call.contentType)) {
      const overrides = overridesOf(call.metadata);
      const id = this.#random.uuid();
      return newEnvelope(call.data, { ...facts, id, source: this.#appId, contentType: call.contentType, overrides });
    }
    try {
      return completeEnvelope(call.data, facts);
    } catch (error) {
      if (error instanceof NotACloudEventError) {
        throw cloudEventCreation(broker.name, this.#appId, error.message);
      }
      throw error;
    }
  }
}

/** Bare messages have no envelope to carry the trace, so the metadata does. */
function withTrace(metadata: RequestMetadata, trace: TraceContext): RequestMetadata {
  return { ...metadata, traceid: trace.traceparent, tracestate: trace.tracestate };
}
