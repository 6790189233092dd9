import type { AppChannel, SubscriptionSpec } from "../../app/types.ts";
import type { PubSubSubscription } from "../../components/spi/pubsub.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import type { Broker } from "./brokers.ts";
import { DeliveryBatch } from "./delivery-batch.ts";
import { Delivery } from "./delivery.ts";
import type { PubSubMetrics } from "./metrics.ts";
import type { PubSubBlock } from "./pubsub-block.ts";
import { compileRoute } from "./routing.ts";

/** How long a closing subscription waits for deliveries under way, in milliseconds. */
export const DRAIN_MS_MAX = 30_000;

/** What every subscription of a sidecar shares. */
export interface SubscriptionRuntime {
  readonly block: PubSubBlock;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: PubSubMetrics;
}

/** The component's metadata keeps this app from the topic; trying again does not help. */
export class SubscriptionForbiddenError extends Error {
  override readonly name = "SubscriptionForbiddenError";
}

/** A subscription that is live at its broker. */
export class RunningSubscription {
  readonly spec: SubscriptionSpec;
  readonly broker: Broker;
  readonly #runtime: SubscriptionRuntime;
  readonly #delivery: Delivery;
  readonly #subscription: PubSubSubscription;

  private constructor(
    spec: SubscriptionSpec,
    broker: Broker,
    runtime: SubscriptionRuntime,
    delivery: Delivery,
    subscription: PubSubSubscription,
  ) {
    this.spec = spec;
    this.broker = broker;
    this.#runtime = runtime;
    this.#delivery = delivery;
    this.#subscription = subscription;
  }

  /** @throws SubscriptionForbiddenError, or Error with Dapr's text around the broker's reason */
  static async start(
    spec: SubscriptionSpec,
    broker: Broker,
    channel: AppChannel,
    runtime: SubscriptionRuntime,
  ): Promise<RunningSubscription> {
    if (!broker.scopes.maySubscribe(spec.topic)) {
      throw new SubscriptionForbiddenError(
        `subscription to topic '${spec.topic}' on pubsub '${broker.name}' is not allowed`,
      );
    }
    const route = await compileRoute(spec.rules);
    const batch = spec.bulk.enabled ? new DeliveryBatch({ ...runtime, spec, channel }) : undefined;
    const delivery = new Delivery({ ...runtime, spec, route, channel, batch, topicPrefix: broker.topicPrefix });
    try {
      const request = { topic: broker.topicPrefix + spec.topic, metadata: spec.metadata, bulk: spec.bulk.enabled };
      const subscription = await broker.loaded.component.subscribe(request, delivery.handle);
      return new RunningSubscription(spec, broker, runtime, delivery, subscription);
    } catch (cause) {
      throw new Error(
        `failed to ${spec.bulk.enabled ? "bulk " : ""}subscribe to topic ${spec.topic}: ${errorMessage(cause)}`,
        { cause },
      );
    }
  }

  /** Stops intake and waits for deliveries under way, up to the limit; then their calls to the app are cut off. */
  async stop(): Promise<void> {
    const { clock, logger } = this.#runtime;
    this.#delivery.beginClose();
    const drained = this.#subscription.close().then(
      () => true,
      (error: unknown) => {
        logger.error(`error while unsubscribing from topic ${this.spec.topic}: ${errorMessage(error)}`);
        return true;
      },
    );
    const limit = Promise.withResolvers<boolean>();
    const timer = clock.after(DRAIN_MS_MAX, () => limit.resolve(false));
    if (!(await Promise.race([drained, limit.promise]))) {
      logger.warn(
        `drain exceeded ${DRAIN_MS_MAX / 1000}s; sealing with inflight=${this.#delivery.inFlight} on topic ${this.spec.topic}`,
      );
      this.#delivery.abort();
    }
    timer.cancel();
  }
}
