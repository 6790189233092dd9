import { parseRfc3339 } from "../../kit/rfc3339.ts";
import type { DeliveryOutcome, SubscriptionSpec, TopicEvent } from "../../app/types.ts";
import { ConsumerGoneError, type MessageHandler, type PubSubMessage } from "../../components/spi/pubsub.ts";
import type { RequestMetadata } from "../../components/spi/request-metadata.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Clock } from "../../kit/clock.ts";
import { goFormat } from "../../kit/go-format.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import type { Tracer } from "../../kit/trace-context.ts";
import type { Policy } from "../../resiliency/types.ts";
import { DeadLetters } from "./dead-letters.ts";
import type { DeliveryBatch } from "./delivery-batch.ts";
import type { DeliveryTarget } from "./delivery-target.ts";
import { endEventSpan, eventSpan, tracedEvent } from "./event-span.ts";
import { withEventTrace } from "./event-trace.ts";
import { deliverGuarded } from "./guarded-delivery.ts";
import { type IncomingEvent, messageMetadata, readIncomingEvent } from "./incoming-event.ts";
import { rawPayloadOf } from "./message-metadata.ts";
import type { PubSubMetrics } from "./metrics.ts";
import type { PubSubBlock } from "./pubsub-block.ts";
import type { EventFields, Route } from "./routing.ts";

/** A message goes back to the broker; the text is Dapr's. */
export class DeliveryRetryError extends Error {
  override readonly name = "DeliveryRetryError";
}

export interface DeliveryDeps {
  readonly spec: SubscriptionSpec;
  readonly route: Route;
  readonly target: DeliveryTarget;
  /** Where the subscription is a bulk one: what collects its events, and counts them. */
  readonly batch?: DeliveryBatch | undefined;
  readonly block: PubSubBlock;
  /** For each event's way to the app; a batch has it for the whole list instead. */
  readonly policy?: Policy | undefined;
  /** Taken off the broker's topic names again. */
  readonly topicPrefix: string;
  /** Absent: events have no spans. */
  readonly tracer?: Tracer | undefined;
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
 * What happens to each message of one subscription, whatever the broker and whoever takes the event: read, drop when
 * expired, route, deliver, then acknowledge (resolve), dead letter, or give back (reject). Once it is closing, a message
 * that the app did not take is left at the broker: neither refused nor dead lettered.
 */
export class Delivery {
  readonly #deps: DeliveryDeps;
  readonly #raw: boolean | { readonly invalid: string };
  readonly #deadLetters: DeadLetters;
  readonly #newId: () => string;
  readonly #abort = new AbortController();
  #closing = false;
  #sealed = false;
  #inFlight = 0;

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
    this.#raw = rawPayloadOf(deps.spec.metadata);
    this.#deadLetters = new DeadLetters(deps);
    this.#newId = () => deps.random.uuid();
  }

  /** From here on failures leave messages to the broker. */
  beginClose(): void {
    this.#closing = true;
    this.#deps.batch?.beginClose();
  }

  /** Ends the calls to the app that are still under way; what the broker still hands over is left to it. */
  abort(): void {
    this.#sealed = true;
    this.#abort.abort(new Error("subscription drain ceiling exceeded"));
  }

  /** Messages that are neither acknowledged nor given back yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  readonly handle: MessageHandler = async (message) => {
    if (this.#sealed) {
      throw new ConsumerGoneError();
    }
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
    const { spec, batch, policy } = this.#deps;
    const topicEvent: TopicEvent = {
      pubsubName: spec.pubsubName,
      topic: delivering.topic,
      path,
      envelope: event.envelope,
      fields: event.fields,
      rawPayload: this.#raw === true,
      metadata: withEventTrace(delivering.metadata, event.fields),
    };
    const { signal } = this.#abort;
    const outcome = await (batch !== undefined || policy === undefined
      ? this.#attempt(delivering, topicEvent, signal)
      : deliverGuarded(policy, signal, (attempt) => this.#attempt(delivering, topicEvent, attempt)));
    switch (outcome.kind) {
      case "success":
        return;
      case "drop":
        return this.#drop(delivering);
      case "retry":
        await this.#deadLetterOrRetry(delivering, new DeliveryRetryError(outcome.reason));
    }
  }

  /**
   * One attempt to hand the event over, counted and logged: what a policy repeats.
   * @throws ConsumerGoneError when nobody is there to answer any more
   */
  async #attempt(delivering: Delivering, event: TopicEvent, signal: CancelSignal): Promise<DeliveryOutcome> {
    const { target, batch, tracer, clock, logger } = this.#deps;
    const startedMs = clock.monotonicMs();
    const span = tracer === undefined ? undefined : eventSpan(tracer, event);
    const sent = span === undefined ? event : tracedEvent(event, span);
    let outcome: DeliveryOutcome;
    try {
      outcome = await (batch === undefined
        ? target.deliver(sent, signal)
        : batch.deliver(sent, delivering.message, signal));
    } catch (error) {
      outcome = { kind: "retry", reason: errorMessage(error) };
      if (error instanceof ConsumerGoneError) {
        endEventSpan(span, outcome);
        throw error;
      }
    }
    endEventSpan(span, outcome);
    const elapsedMs = clock.monotonicMs() - startedMs;
    switch (outcome.kind) {
      case "success":
        this.#count(delivering, outcome.warning === undefined ? "success" : "drop", "", elapsedMs);
        if (outcome.warning !== undefined) {
          logger.warn(outcome.warning);
        }
        break;
      case "drop":
        this.#count(delivering, "drop", outcome.severity === "error" ? "" : "success", elapsedMs);
        logger[outcome.severity ?? "warn"](outcome.reason);
        break;
      case "retry":
        this.#count(delivering, "retry", "", elapsedMs);
        logger.warn(
          `encountered a retriable error while publishing a subscribed message to topic ${delivering.topic}, err: ${outcome.reason}`,
        );
    }
    return outcome;
  }

  async #drop(delivering: Delivering): Promise<void> {
    const failure = await this.#deadLetter(delivering);
    if (failure !== undefined) {
      this.#deps.logger.warn(
        `failed to send dropped message to dead letter queue for topic ${delivering.topic}: ${errorMessage(failure)}`,
      );
      throw new DeliveryRetryError("pubsub message dropped");
    }
  }

  /** Resolves when the message is at the dead letter topic, otherwise throws what the broker is to be told. */
  async #deadLetterOrRetry(delivering: Delivering, error: unknown): Promise<undefined> {
    if (this.#closing) {
      throw new ConsumerGoneError({ cause: error });
    }
    if (this.#deadLetters.exist && (await this.#deadLetter(delivering)) === undefined) {
      this.#count(delivering, "drop", "", 0);
      return undefined;
    }
    this.#count(delivering, "retry", "", 0);
    throw error;
  }

  /** Gives back what went wrong. */
  #deadLetter({ message, metadata }: Delivering): Promise<unknown> {
    return this.#deadLetters.take(message, metadata);
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
