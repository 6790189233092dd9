import type { SubscriptionSpec } from "../../app/types.ts";
import type { PubSubSubscription } from "../../components/spi/pubsub.ts";
import { errorMessage } from "../../kit/error-message.ts";
import { type Clock, sleep } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import type { Tracer } from "../../kit/trace-context.ts";
import type { Broker } from "./brokers.ts";
import { DeliveryBatch } from "./delivery-batch.ts";
import type { BulkTarget, DeliveryTarget } from "./delivery-target.ts";
import { Delivery } from "./delivery.ts";
import type { PubSubMetrics } from "./metrics.ts";
import type { PubSubBlock } from "./pubsub-block.ts";
import { compileRoute } from "./routing.ts";

/** How long a closing subscription waits for deliveries under way, in milliseconds. */
export const DRAIN_MS_MAX = 30_000;
/** How long a component may take to pause, in milliseconds. */
export const PAUSE_MS_MAX = 5000;
/** A paused component counts as drained when so many looks in a row, so many milliseconds apart, found nothing under way. */
const QUIET_LOOKS = 5;
const LOOK_MS = 20;

/** What every subscription of a sidecar shares. */
export interface SubscriptionRuntime {
  readonly block: PubSubBlock;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: PubSubMetrics;
  /** Absent: events have no spans. */
  readonly tracer?: Tracer | undefined;
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
    target: DeliveryTarget,
    runtime: SubscriptionRuntime,
  ): Promise<RunningSubscription> {
    if (!broker.scopes.maySubscribe(spec.topic)) {
      throw new SubscriptionForbiddenError(
        `subscription to topic '${spec.topic}' on pubsub '${broker.name}' is not allowed`,
      );
    }
    const route = await compileRoute(spec.rules);
    const batch = batchOf(spec, broker, target, runtime);
    const { topicPrefix } = broker;
    const delivery = new Delivery({
      ...runtime,
      spec,
      route,
      target,
      batch,
      topicPrefix,
      get policy() {
        return broker.deliveryPolicy;
      },
    });
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

  /**
   * Stops intake and waits for deliveries under way, up to the limit; then their calls to the app are cut off. With
   * `graceful`, a component that can pause is paused first, and what it had already handed out still goes to the app.
   */
  async stop(options: { readonly graceful?: boolean } = {}): Promise<void> {
    const { clock } = this.#runtime;
    const deadlineMs = clock.monotonicMs() + DRAIN_MS_MAX;
    this.#delivery.beginClose();
    if (options.graceful === true && (await this.#pause())) {
      await this.#untilQuiet(deadlineMs);
    }
    const closed = this.#close();
    const limit = Promise.withResolvers<boolean>();
    const timer = clock.after(Math.max(deadlineMs - clock.monotonicMs(), 0), () => limit.resolve(false));
    if (!(await Promise.race([closed, limit.promise]))) {
      this.#runtime.logger.warn(
        `drain exceeded ${DRAIN_MS_MAX / 1000}s; sealing with inflight=${this.#delivery.inFlight} on topic ${this.spec.topic}`,
      );
      this.#delivery.abort();
    }
    timer.cancel();
  }

  async #close(): Promise<true> {
    try {
      await this.#subscription.close();
    } catch (error) {
      this.#runtime.logger.error(`error while unsubscribing from topic ${this.spec.topic}: ${errorMessage(error)}`);
    }
    return true;
  }

  async #pause(): Promise<boolean> {
    const { component } = this.broker.loaded;
    if (component.pause === undefined) {
      return false;
    }
    const { clock, logger } = this.#runtime;
    const { topic } = this.spec;
    logger.info(`pausing subscription on topic ${topic} during graceful shutdown`);
    const timeout = Promise.withResolvers<never>();
    const timer = clock.after(PAUSE_MS_MAX, () => timeout.reject(new Error("context deadline exceeded")));
    try {
      return await Promise.race([component.pause(), timeout.promise]);
    } catch (error) {
      logger.warn(`failed to pause subscription on topic ${topic} during graceful shutdown: ${errorMessage(error)}`);
      return false;
    } finally {
      timer.cancel();
    }
  }

  /** The broker does not say when its last message has come, so quiet is what counts. */
  async #untilQuiet(deadlineMs: number): Promise<void> {
    const { clock } = this.#runtime;
    for (let quiet = 0; quiet < QUIET_LOOKS && clock.monotonicMs() < deadlineMs;) {
      quiet = this.#delivery.inFlight === 0 ? quiet + 1 : 0;
      await sleep(clock, LOOK_MS);
    }
  }
}

function batchOf(
  spec: SubscriptionSpec,
  broker: Broker,
  target: DeliveryTarget,
  runtime: SubscriptionRuntime,
): DeliveryBatch | undefined {
  if (!spec.bulk.enabled || !takesBulks(target)) {
    return undefined;
  }
  const { maxAwaitDurationMs } = spec.bulk;
  if (broker.isSerial && maxAwaitDurationMs > 0) {
    runtime.logger
      .scope("bulk.subscribe")
      .warn(
        `bulk subscribe on topic "${spec.topic}": maxAwaitDurationMs=${maxAwaitDurationMs}ms is ignored because the pubsub component declares immediate-flush; each message is delivered as soon as it arrives`,
      );
  }
  return new DeliveryBatch({
    ...runtime,
    spec,
    target,
    immediate: broker.isSerial,
    get policy() {
      return broker.deliveryPolicy;
    },
  });
}

function takesBulks(target: DeliveryTarget): target is BulkTarget {
  return target.deliverBulk !== undefined;
}
