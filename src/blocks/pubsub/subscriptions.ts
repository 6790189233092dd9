import type { AppChannel, SubscriptionSpec } from "../../app/types.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Clock, Timer } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import type { Broker, Brokers } from "./brokers.ts";
import { NO_METRICS, type PubSubMetrics } from "./metrics.ts";
import type { PubSubBlock } from "./pubsub-block.ts";
import { compileRoute } from "./routing.ts";
import { RunningSubscription, SubscriptionForbiddenError, type SubscriptionRuntime } from "./running-subscription.ts";
import { type ListedSubscription, mergeSubscriptions } from "./subscription-list.ts";

/** Waits between attempts to subscribe at a broker that refuses, in milliseconds. */
const START_RETRY_WAIT_MS = 500;
const START_RETRY_WAIT_MS_MAX = 60_000;
const START_RETRY_FACTOR = 1.5;

/** The app's subscriptions: which there are, and keeping them live while the app is up. */
export interface Subscriptions {
  /**
   * Adds a subscription resource, or replaces the one of that name, which then counts as the newest.
   * @throws Error for a routing rule that does not parse
   */
  declare(name: string, spec: SubscriptionSpec): Promise<void>;
  undeclare(name: string): Promise<void>;
  /** The app is ready: asks it for its subscriptions, the first time, and starts all. Never throws for a single one. */
  start(channel: AppChannel): Promise<void>;
  /** The app is unhealthy: stops all; `start` may follow. */
  stop(): Promise<void>;
  /** The app has ended: stops all, and the next `start` asks the app for its subscriptions again. */
  forget(): Promise<void>;
  /** Stops all for good. */
  close(): Promise<void>;
  list(): readonly ListedSubscription[];
}

export interface SubscriptionsDeps {
  readonly block: PubSubBlock;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** False: `--disable-init-endpoints subscribe`. */
  readonly programmaticEnabled: boolean;
  readonly metrics?: PubSubMetrics;
}

export function createSubscriptions(deps: SubscriptionsDeps): Subscriptions {
  return new SubscriptionManager(deps);
}

class SubscriptionManager implements Subscriptions {
  readonly #runtime: SubscriptionRuntime;
  readonly #brokers: Brokers;
  readonly #programmaticEnabled: boolean;
  readonly #declared = new Map<string, SubscriptionSpec>();
  /** Undefined until the app has been asked. */
  #programmatic: readonly SubscriptionSpec[] | undefined;
  readonly #running = new Map<string, RunningSubscription>();
  readonly #retries = new Map<string, Timer>();
  #channel: AppChannel | undefined;
  #closed = false;
  #abort = new AbortController();
  /** Changes run one after the other; this is the end of the line. */
  #line: Promise<void> = Promise.resolve();

  constructor(deps: SubscriptionsDeps) {
    const logger = deps.logger.scope("dapr.runtime.processor.subscription");
    const { block, clock, random, metrics = NO_METRICS } = deps;
    this.#runtime = { block, clock, random, logger, metrics };
    this.#brokers = deps.block.brokers;
    this.#programmaticEnabled = deps.programmaticEnabled;
    this.#brokers.watch((name) => void this.#inLine(() => this.#reconcile(name)));
  }

  async declare(name: string, spec: SubscriptionSpec): Promise<void> {
    await compileRoute(spec.rules);
    const before = this.#declared.get(name);
    this.#declared.delete(name);
    this.#declared.set(name, spec);
    await this.#inLine(() => this.#reconcile(spec.pubsubName));
    if (before !== undefined && before.pubsubName !== spec.pubsubName) {
      await this.#inLine(() => this.#reconcile(before.pubsubName));
    }
  }

  async undeclare(name: string): Promise<void> {
    const before = this.#declared.get(name);
    if (before !== undefined) {
      this.#declared.delete(name);
      await this.#inLine(() => this.#reconcile(before.pubsubName));
    }
  }

  start(channel: AppChannel): Promise<void> {
    if (this.#closed) {
      return Promise.resolve();
    }
    this.#channel = channel;
    this.#abort = new AbortController();
    return this.#inLine(() => this.#reconcileAll());
  }

  stop(): Promise<void> {
    this.#channel = undefined;
    this.#abort.abort(new Error("subscriptions are stopping"));
    this.#cancelRetries();
    return this.#inLine(() => this.#stopAll());
  }

  forget(): Promise<void> {
    void this.stop();
    return this.#inLine(async () => {
      this.#programmatic = undefined;
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.stop();
  }

  list(): readonly ListedSubscription[] {
    return mergeSubscriptions(this.#declared.values(), this.#programmatic ?? []);
  }

  #inLine(action: () => Promise<void>): Promise<void> {
    const done = this.#line.then(action);
    this.#line = done.catch((error: unknown) => {
      this.#runtime.logger.error(
        `failed to change subscriptions: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    });
    return done;
  }

  async #reconcileAll(): Promise<void> {
    await this.#askApp();
    await Promise.all([...this.#brokers.values()].map((broker) => this.#align(broker.name)));
  }

  async #reconcile(pubsub: string): Promise<void> {
    if (await this.#askApp()) {
      await this.#reconcileAll();
    } else {
      await this.#align(pubsub);
    }
  }

  /** Makes what runs on one broker equal to what should. */
  async #align(pubsub: string): Promise<void> {
    const broker = this.#brokers.get(pubsub);
    const channel = this.#channel;
    const wanted = new Map<string, SubscriptionSpec>();
    if (broker !== undefined && channel !== undefined) {
      for (const { spec } of this.list()) {
        if (spec.pubsubName === pubsub) {
          wanted.set(keyOf(spec), spec);
        }
      }
    }
    const stops: Promise<void>[] = [];
    for (const [key, running] of this.#running) {
      if (running.spec.pubsubName === pubsub && (wanted.get(key) !== running.spec || running.broker !== broker)) {
        this.#running.delete(key);
        stops.push(running.stop());
      }
    }
    await Promise.all(stops);
    for (const [key, spec] of wanted) {
      if (!this.#running.has(key) && broker !== undefined && channel !== undefined) {
        await this.#startOne(key, spec, broker, channel, START_RETRY_WAIT_MS);
      }
    }
  }

  async #startOne(
    key: string,
    spec: SubscriptionSpec,
    broker: Broker,
    channel: AppChannel,
    retryWaitMs: number,
  ): Promise<void> {
    const isRetry = retryWaitMs > START_RETRY_WAIT_MS;
    const where = `subscription for pubsub ${broker.name}, topic ${spec.topic}`;
    const { logger } = this.#runtime;
    this.#retries.get(key)?.cancel();
    this.#retries.delete(key);
    try {
      this.#running.set(key, await RunningSubscription.start(spec, broker, channel, this.#runtime));
      if (isRetry) {
        logger.info(`Successfully started subscription after retry for pubsub ${broker.name}, topic ${spec.topic}`);
      }
    } catch (error) {
      const reason = errorMessage(error);
      if (error instanceof SubscriptionForbiddenError) {
        logger.error(`Failed to start ${where}: ${reason}`);
        return;
      }
      logger.error(
        isRetry ? `Retry failed for ${where}: ${reason}. Will retry.` : `Failed to start ${where}: ${reason}`,
      );
      this.#retryLater(key, spec, broker, retryWaitMs);
    }
  }

  #retryLater(key: string, spec: SubscriptionSpec, broker: Broker, waitMs: number): void {
    if (this.#channel === undefined) {
      return;
    }
    const timer = this.#runtime.clock.after(waitMs, () => {
      void this.#inLine(async () => {
        const channel = this.#channel;
        const current = this.list().find((listed) => listed.spec === spec);
        if (
          channel === undefined ||
          current === undefined ||
          this.#running.has(key) ||
          this.#brokers.get(broker.name) !== broker
        ) {
          return;
        }
        await this.#startOne(
          key,
          spec,
          broker,
          channel,
          Math.min(waitMs * START_RETRY_FACTOR, START_RETRY_WAIT_MS_MAX),
        );
      });
    });
    this.#retries.set(key, timer);
  }

  async #stopAll(): Promise<void> {
    const running = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(running.map((subscription) => subscription.stop()));
  }

  #cancelRetries(): void {
    for (const timer of this.#retries.values()) {
      timer.cancel();
    }
    this.#retries.clear();
  }

  /** Asks once, and only where there is a broker to subscribe at. True: it has answered just now. */
  async #askApp(): Promise<boolean> {
    const channel = this.#channel;
    if (this.#programmatic !== undefined || channel === undefined || this.#brokers.size === 0) {
      return false;
    }
    const { logger } = this.#runtime;
    if (!this.#programmaticEnabled) {
      logger.warn("Skipping programmatic subscription loading (see 'disable-init-endpoints' flag/annotation)");
      this.#programmatic = [];
      return false;
    }
    try {
      const specs = await channel.listSubscriptions(this.#abort.signal);
      for (const spec of specs) {
        await compileRoute(spec.rules);
      }
      this.#programmatic = specs;
      this.#logTopics(specs);
      return true;
    } catch (error) {
      logger.warn(`failed to subscribe to topics: ${errorMessage(error)} `);
      return false;
    }
  }

  #logTopics(specs: readonly SubscriptionSpec[]): void {
    const topics = Map.groupBy(specs, (spec) => spec.pubsubName);
    for (const [pubsub, group] of topics) {
      const names = group.map((spec) => spec.topic).join(" ");
      this.#runtime.logger.info(`app is subscribed to the following topics: [[${names}]] through pubsub=${pubsub}`);
    }
  }
}

function keyOf(spec: SubscriptionSpec): string {
  return `${spec.pubsubName}||${spec.topic}`;
}
