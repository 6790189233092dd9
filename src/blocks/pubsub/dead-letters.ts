import type { SubscriptionSpec } from "../../app/types.ts";
import type { PubSubMessage } from "../../components/spi/pubsub.ts";
import type { RequestMetadata } from "../../components/spi/request-metadata.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { PubSubBlock } from "./pubsub-block.ts";

/** A publish to the dead letter topic that takes longer counts as failed, in milliseconds. */
export const DEAD_LETTER_PUBLISH_MS_MAX = 30_000;

export interface DeadLettersDeps {
  readonly spec: SubscriptionSpec;
  readonly block: PubSubBlock;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The dead letter topic of one subscription. */
export class DeadLetters {
  readonly #deps: DeadLettersDeps;

  constructor(deps: DeadLettersDeps) {
    this.#deps = deps;
  }

  /** Whether the subscription has such a topic. */
  get exist(): boolean {
    return this.#deps.spec.deadLetterTopic !== "";
  }

  /** Publishes a message as it came, if there is a topic for it; gives back what went wrong. */
  async take(message: PubSubMessage, metadata: RequestMetadata): Promise<unknown> {
    if (!this.exist) {
      return undefined;
    }
    const { spec, block, clock, logger } = this.#deps;
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
