import { binaryOfTraceparent } from "../../app/trace-headers.ts";
import type { AppChannel, DeliveryOutcome, SubscriptionSpec, TopicEvent } from "../../app/types.ts";
import type { MessageHandler, PubSubMessage } from "../../components/spi/pubsub.ts";
import type { RequestMetadata } from "../../components/spi/state.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Clock } from "../../kit/clock.ts";
import { goFormat } from "../../kit/go-format.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import type { DeliveryBatch } from "./delivery-batch.ts";
import { type IncomingEvent, messageMetadata, readIncomingEvent } from "./incoming-event.ts";
import { rawPayloadOf } from "./message-metadata.ts";
import type { PubSubMetrics } from "./metrics.ts";
import type { PubSubBlock } from "./pubsub-block.ts";
import { parseRfc3339 } from "./rfc3339-clock.ts";
import type { EventFields, Route } from "./routing.ts";

/** A publish to the dead letter topic that takes longer counts as failed, in milliseconds. */
export const DEAD_LETTER_PUBLISH_MS_MAX = 30_000;

/** A message goes back to the broker; the text is Dapr's. */
export class DeliveryRetryError extends Error {
  override readonly name = "DeliveryRetryError";
}

export interface DeliveryDeps {
  readonly spec: SubscriptionSpec;
  readonly route: Route;
  readonly channel: AppChannel;
  /** Where the subscription is a bulk one: what collects its events, and counts them. */
  readonly batch?: DeliveryBatch | undefined;
  readonly block: PubSubBlock;
  /** Taken off the broker's topic names again. */
  readonly topicPrefix: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: PubSubMetrics;
}

/** A message on its way, with what later steps need. */
interface Delivering {
  readonly message: PubSubMessage;
  readonly metadata: RequestMetadata;
  readonly topic: string;
}

/**
 * What happens to each message of one subscription, whatever the broker: read, drop when expired, route, deliver, then
 * acknowledge (resolve), dead letter, or give back (reject). Once it is closing, a message that the app did not take is
 * given back and never dead lettered.
 */
export class Delivery {
  readonly #deps: DeliveryDeps;
  readonly #raw: boolean | { readonly invalid: string };
  readonly #newId: () => string;
  readonly #abort = new AbortController();
  #closing = false;
  #inFlight = 0;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
    this.#raw = rawPayloadOf(deps.spec.metadata);
    this.#newId = () => deps.random.uuid();
  }

  /** From here on failures leave messages to the broker. */
  beginClose(): void {
    this.#closing = true;
    this.#deps.batch?.beginClose();
  }

  /** Ends the calls to the app that are still under way. */
  abort(): void {
    this.#abort.abort(new Error("subscription drain ceiling exceeded"));
  }

  /** Messages that are neither acknowledged nor given back yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  readonly handle: MessageHandler = async (message) => {
    this.#inFlight += 1;
    try {
      await this.#process(message);
    } finally {
      this.#inFlight -= 1;
    }
  };

  async #process(message: PubSubMessage): Promise<void> {
    const { spec, topicPrefix } = this.#deps;
    const topic = topicPrefix === "" ? message.topic : message.topic.replace(topicPrefix, "");
    const delivering: Delivering = { message, topic, metadata: messageMetadata(message, spec.pubsubName) };
    const event = await this.#read(delivering);
    if (event === undefined || (await this.#dropExpired(delivering, event.fields))) {
      return;
    }
    const path = await this.#route(delivering, event.fields);
    if (path !== undefined) {
      await this.#deliver(delivering, event, path);
    }
  }

  /** Undefined: the message could not be read and is at the dead letter topic. */
  async #read(delivering: Delivering): Promise<IncomingEvent | undefined> {
    const { spec, logger } = this.#deps;
    if (typeof this.#raw === "object") {
      logger.error(`error deserializing pubsub metadata: ${this.#raw.invalid}`);
      return this.#deadLetterOrRetry(delivering, new DeliveryRetryError(this.#raw.invalid));
    }
    try {
      return readIncomingEvent(delivering.message, delivering.metadata, {
        topic: delivering.topic,
        pubsub: spec.pubsubName,
        raw: this.#raw,
        newId: this.#newId,
      });
    } catch (error) {
      const reason = errorMessage(error);
      logger.error(
        `error deserializing cloud event in pubsub ${spec.pubsubName} and topic ${delivering.topic}: ${reason}`,
      );
      return this.#deadLetterOrRetry(delivering, error);
    }
  }

  async #dropExpired(delivering: Delivering, fields: EventFields): Promise<boolean> {
    const expiration = fields["expiration"];
    if (typeof expiration !== "string") {
      return false;
    }
    const expiresMs = parseRfc3339(expiration);
    if (expiresMs === undefined || expiresMs >= this.#deps.clock.now()) {
      return false;
    }
    this.#deps.logger.warn(`dropping expired pub/sub event ${goFormat(fields["id"])} as of ${expiration}`);
    this.#count(delivering, "drop", "", 0);
    await this.#deadLetter(delivering);
    return true;
  }

  /** Undefined: no rule fits, or the message is at the dead letter topic because a rule broke. */
  async #route(delivering: Delivering, fields: EventFields): Promise<string | undefined> {
    const { spec, route, logger } = this.#deps;
    let path: string | undefined;
    try {
      path = route(fields);
    } catch (error) {
      const where = `event ${goFormat(fields["id"])} in pubsub ${spec.pubsubName} and topic ${delivering.topic}`;
      logger.error(`error finding matching route for ${where}: ${errorMessage(error)}`);
      return this.#deadLetterOrRetry(delivering, error);
    }
    if (path === undefined) {
      const where = `event ${goFormat(fields["id"])} in pubsub ${spec.pubsubName} and topic ${delivering.topic}`;
      logger.debug(`no matching route for ${where}; skipping`);
      this.#count(delivering, "drop", "success", 0);
      await this.#deadLetter(delivering);
    }
    return path;
  }

  async #deliver(delivering: Delivering, event: IncomingEvent, path: string): Promise<void> {
    const { spec, channel, batch, clock, logger } = this.#deps;
    const topicEvent: TopicEvent = {
      pubsubName: spec.pubsubName,
      topic: delivering.topic,
      path,
      envelope: event.envelope,
      fields: event.fields,
      rawPayload: this.#raw === true,
      metadata: withEventTrace(delivering.metadata, event.fields),
    };
    const startedMs = clock.monotonicMs();
    let outcome: DeliveryOutcome;
    try {
      outcome = await (batch === undefined
        ? channel.deliver(topicEvent, this.#abort.signal)
        : batch.deliver(topicEvent, delivering.message, this.#abort.signal));
    } catch (error) {
      outcome = { kind: "retry", reason: errorMessage(error) };
    }
    const elapsedMs = clock.monotonicMs() - startedMs;
    switch (outcome.kind) {
      case "success":
        this.#count(delivering, outcome.warning === undefined ? "success" : "drop", "", elapsedMs);
        if (outcome.warning !== undefined) {
          logger.warn(outcome.warning);
        }
        return;
      case "drop":
        return this.#drop(delivering, outcome, elapsedMs);
      case "retry":
        this.#count(delivering, "retry", "", elapsedMs);
        logger.warn(
          `encountered a retriable error while publishing a subscribed message to topic ${delivering.topic}, err: ${outcome.reason}`,
        );
        await this.#deadLetterOrRetry(delivering, new DeliveryRetryError(outcome.reason));
    }
  }

  async #drop(delivering: Delivering, outcome: DeliveryOutcome & { kind: "drop" }, elapsedMs: number): Promise<void> {
    const logger = this.#deps.logger;
    if (outcome.severity === "error") {
      logger.error(outcome.reason);
      this.#count(delivering, "drop", "", elapsedMs);
    } else {
      logger.warn(outcome.reason);
      this.#count(delivering, "drop", "success", elapsedMs);
    }
    const failure = await this.#deadLetter(delivering);
    if (failure !== undefined) {
      logger.warn(
        `failed to send dropped message to dead letter queue for topic ${delivering.topic}: ${errorMessage(failure)}`,
      );
      throw new DeliveryRetryError("pubsub message dropped");
    }
  }

  /** Resolves when the message is at the dead letter topic, otherwise throws what the broker is to be told. */
  async #deadLetterOrRetry(delivering: Delivering, error: unknown): Promise<undefined> {
    if (this.#closing) {
      throw error;
    }
    if (this.#deps.spec.deadLetterTopic !== "" && (await this.#deadLetter(delivering)) === undefined) {
      this.#count(delivering, "drop", "", 0);
      return undefined;
    }
    this.#count(delivering, "retry", "", 0);
    throw error;
  }

  /** Publishes the message as it came to the dead letter topic, if there is one; gives back what went wrong. */
  async #deadLetter(delivering: Delivering): Promise<unknown> {
    const { spec, block, clock, logger } = this.#deps;
    if (spec.deadLetterTopic === "") {
      return undefined;
    }
    const { message, metadata } = delivering;
    const publish = block.forward(spec.pubsubName, spec.deadLetterTopic, message.data, message.contentType, metadata);
    try {
      await within(clock, DEAD_LETTER_PUBLISH_MS_MAX, publish);
      return undefined;
    } catch (error) {
      const topics = `origin topic: ${message.topic} dead letter topic ${spec.deadLetterTopic}`;
      logger.error(`error sending message to dead letter, ${topics} err: ${errorMessage(error)}`);
      return error;
    }
  }

  #count(
    delivering: Delivering,
    processStatus: "success" | "retry" | "drop",
    status: "" | "success",
    elapsedMs: number,
  ): void {
    if (this.#deps.batch !== undefined) {
      return;
    }
    this.#deps.metrics.ingress(this.#deps.spec.pubsubName, delivering.topic, processStatus, status, elapsedMs);
  }
}

/** What apps are sent when the event has no trace context; Dapr sends the same. */
const EMPTY_TRACEPARENT = "00-00000000000000000000000000000000-0000000000000000-00";

/** The app gets the event's trace context beside the metadata, for gRPC apps in binary too. Attributes that are no text are passed over. */
function withEventTrace(metadata: RequestMetadata, fields: EventFields): RequestMetadata {
  const traced: Record<string, string> = { ...metadata };
  const id = fields["traceparent"] ?? fields["traceid"];
  const traceparent = typeof id === "string" && id !== "" ? id : EMPTY_TRACEPARENT;
  const binary = binaryOfTraceparent(traceparent);
  traced["traceparent"] = binary === undefined ? EMPTY_TRACEPARENT : traceparent;
  const state = fields["tracestate"];
  if (binary !== undefined) {
    traced["grpc-trace-bin"] = binary;
    if (typeof state === "string" && state !== "") {
      traced["tracestate"] = state;
    }
  }
  return traced;
}

async function within(clock: Clock, timeoutMs: number, action: Promise<void>): Promise<void> {
  const timeout = Promise.withResolvers<never>();
  const timer = clock.after(timeoutMs, () => timeout.reject(new Error(`no answer within ${timeoutMs} ms`)));
  try {
    await Promise.race([action, timeout.promise]);
  } finally {
    timer.cancel();
  }
}
