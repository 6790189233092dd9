import type { AppChannel, SubscriptionSpec } from "../../app/types.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import type { Tracer } from "../../kit/trace-context.ts";
import type { Broker, Brokers } from "./brokers.ts";
import { NO_METRICS, type PubSubMetrics } from "./metrics.ts";
import { ProgrammaticSubscriptions } from "./programmatic-subscriptions.ts";
import type { PubSubBlock } from "./pubsub-block.ts";
import { compileRoute } from "./routing.ts";
import { RunningSubscription, SubscriptionForbiddenError, type SubscriptionRuntime } from "./running-subscription.ts";
import { StartFailures } from "./start-failures.ts";
import { StreamManager, type StreamSubscriptions } from "./stream-subscriptions.ts";
import {
  appCondition,
  refusedCondition,
  streamCondition,
  type SubscriptionConditions,
} from "./subscription-conditions.ts";
import { type ListedSubscription, mergeSubscriptions, type SubscriptionPlace } from "./subscription-list.ts";

/** The app's subscriptions: which there are, and keeping them live while the app is up. */
export interface Subscriptions {
  /** Those that the app opens as streams; they come and go with their streams, however healthy the app is. */
  readonly streams: StreamSubscriptions;
  /**
   * Adds a subscription resource, or replaces the one of that name, which then counts as the newest.
   * @throws Error for a routing rule that does not parse; the conditions tell of it from then on
   */
  declare(name: string, spec: SubscriptionSpec, place?: SubscriptionPlace): Promise<void>;
  undeclare(name: string): Promise<void>;
  /** The app is ready: asks it for its subscriptions, the first time, and starts all. Never throws for a single one. */
  start(channel: AppChannel): Promise<void>;
  /** The app is unhealthy: stops all but the streams; `start` may follow. */
  stop(): Promise<void>;
  /** The app has ended: stops all but the streams, and the next `start` asks the app for its subscriptions again. */
  forget(): Promise<void>;
  /** Stops all for good, streams among them; brokers that can pause hand out nothing new first. */
  close(): Promise<void>;
  list(): readonly ListedSubscription[];
  /** How each is doing, those included that are not live. */
  conditions(): SubscriptionConditions;
}

export interface SubscriptionsDeps {
  readonly block: PubSubBlock;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** False: `--disable-init-endpoints subscribe`. */
  readonly programmaticEnabled: boolean;
  readonly metrics?: PubSubMetrics | undefined;
  /** Absent: events have no spans. */
  readonly tracer?: Tracer | undefined;
}

export function createSubscriptions(deps: SubscriptionsDeps): Subscriptions {
  return new SubscriptionManager(deps);
}

class SubscriptionManager implements Subscriptions {
  readonly #runtime: SubscriptionRuntime;
  readonly #brokers: Brokers;
  readonly #streams: StreamManager;
  readonly #declared = new Map<string, ListedSubscription>();
  /** Resources that were left out, by their names, and why. */
  readonly #refused = new Map<string, { readonly listed: ListedSubscription; readonly reason: string }>();
  readonly #programmatic: ProgrammaticSubscriptions;
  readonly #running = new Map<string, RunningSubscription>();
  readonly #failures: StartFailures;
  /** Subscriptions that take nothing new and have deliveries under way. */
  readonly #leaving = new Set<Promise<void>>();
  #channel: AppChannel | undefined;
  #closed = false;
  #abort = new AbortController();
  /** Changes run one after the other; this is the end of the line. */
  #line: Promise<void> = Promise.resolve();

  constructor(deps: SubscriptionsDeps) {
    const logger = deps.logger.scope("dapr.runtime.processor.subscription");
    const { block, clock, random, tracer, metrics = NO_METRICS } = deps;
    this.#runtime = { block, clock, random, logger, metrics, tracer };
    this.#brokers = deps.block.brokers;
    this.#programmatic = new ProgrammaticSubscriptions(deps.programmaticEnabled, logger);
    this.#failures = new StartFailures(clock);
    this.#streams = new StreamManager(this.#runtime, this.#brokers, deps.logger);
    this.#brokers.watch(async (name, broker) => {
      await Promise.all([this.#streams.follow(name, broker), this.#inLine(() => this.#reconcile(name))]);
      await Promise.all(this.#leaving);
    });
  }

  get streams(): StreamSubscriptions {
    return this.#streams;
  }

  async declare(name: string, spec: SubscriptionSpec, place?: SubscriptionPlace): Promise<void> {
    const listed: ListedSubscription = { spec, type: "DECLARATIVE", source: { kind: "declarative", name, place } };
    try {
      await compileRoute(spec.rules);
    } catch (error) {
      this.#refused.set(name, { listed, reason: errorMessage(error) });
      throw error;
    }
    this.#refused.delete(name);
    const before = this.#declared.get(name)?.spec;
    this.#declared.delete(name);
    this.#declared.set(name, listed);
    await this.#inLine(() => this.#reconcile(spec.pubsubName));
    if (before !== undefined && before.pubsubName !== spec.pubsubName) {
      await this.#inLine(() => this.#reconcile(before.pubsubName));
    }
  }

  async undeclare(name: string): Promise<void> {
    this.#refused.delete(name);
    const before = this.#declared.get(name)?.spec;
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
    return this.#stop(false);
  }

  forget(): Promise<void> {
    void this.stop();
    return this.#inLine(async () => this.#programmatic.forget());
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#stop(true), this.#streams.close()]);
  }

  list(): readonly ListedSubscription[] {
    return [...this.#merged().values(), ...this.#streams.list()];
  }

  conditions(): SubscriptionConditions {
    const facts = {
      appIsThere: this.#channel !== undefined,
      hasBroker: (pubsub: string) => this.#brokers.get(pubsub) !== undefined,
      isRunning: (key: string) => this.#running.has(key),
      failures: this.#failures,
    };
    const { known, failure } = this.#programmatic;
    return {
      programmatic: { state: known ? "known" : "unknown", ...(failure === undefined ? {} : { reason: failure }) },
      subscriptions: [
        ...Array.from(this.#merged(), ([key, listed]) => appCondition(key, listed, facts)),
        ...this.#streams.list().map(streamCondition),
        ...Array.from(this.#refused.values(), ({ listed, reason: why }) => refusedCondition(listed, why)),
      ],
    };
  }

  #merged(): ReadonlyMap<string, ListedSubscription> {
    return mergeSubscriptions(this.#declared.values(), this.#programmatic.specs);
  }

  #stop(graceful: boolean): Promise<void> {
    this.#channel = undefined;
    this.#abort.abort(new Error("subscriptions are stopping"));
    this.#failures.clear();
    return this.#inLine(() => this.#stopAll(graceful));
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
      for (const [key, { spec }] of this.#merged()) {
        if (spec.pubsubName === pubsub) {
          wanted.set(key, spec);
        }
      }
    }
    for (const key of this.#failures.keys()) {
      if (!wanted.has(key) && key.startsWith(`${pubsub}||`)) {
        this.#failures.forget(key);
      }
    }
    const moved: RunningSubscription[] = [];
    const stops: Promise<void>[] = [];
    for (const [key, running] of this.#running) {
      if (running.spec.pubsubName !== pubsub || (wanted.get(key) === running.spec && running.broker === broker)) {
        continue;
      }
      this.#running.delete(key);
      if (!wanted.has(key)) {
        this.#leave(running);
      } else if (running.broker === broker) {
        stops.push(running.stop());
      } else {
        moved.push(running);
      }
    }
    // The same topic at the same broker is not read twice at a time; a new broker is read before the old one is left.
    await Promise.all(stops);
    for (const [key, spec] of wanted) {
      if (!this.#running.has(key) && broker !== undefined && channel !== undefined) {
        await this.#startOne(key, spec, broker, channel, false);
      }
    }
    for (const running of moved) {
      this.#leave(running);
    }
  }

  #leave(running: RunningSubscription): void {
    const leaving = running.stop().finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  async #startOne(
    key: string,
    spec: SubscriptionSpec,
    broker: Broker,
    channel: AppChannel,
    isRetry: boolean,
  ): Promise<void> {
    const where = `subscription for pubsub ${broker.name}, topic ${spec.topic}`;
    const { logger } = this.#runtime;
    try {
      this.#running.set(key, await RunningSubscription.start(spec, broker, channel, this.#runtime));
      this.#failures.forget(key);
      if (isRetry) {
        logger.info(`Successfully started subscription after retry for pubsub ${broker.name}, topic ${spec.topic}`);
      }
    } catch (error) {
      const reason = errorMessage(error);
      if (error instanceof SubscriptionForbiddenError) {
        logger.error(`Failed to start ${where}: ${reason}`);
        this.#failures.refused(key, reason);
        return;
      }
      logger.error(
        isRetry ? `Retry failed for ${where}: ${reason}. Will retry.` : `Failed to start ${where}: ${reason}`,
      );
      if (this.#channel !== undefined) {
        this.#failures.failed(key, reason, () => void this.#inLine(() => this.#startAgain(key, spec, broker)));
      }
    }
  }

  async #startAgain(key: string, spec: SubscriptionSpec, broker: Broker): Promise<void> {
    const channel = this.#channel;
    const isWanted = this.#merged().get(key)?.spec === spec && this.#brokers.get(broker.name) === broker;
    if (channel !== undefined && isWanted && !this.#running.has(key)) {
      await this.#startOne(key, spec, broker, channel, true);
    }
  }

  async #stopAll(graceful: boolean): Promise<void> {
    const running = [...this.#running.values()];
    this.#running.clear();
    await Promise.all([...running.map((subscription) => subscription.stop({ graceful })), ...this.#leaving]);
  }

  /** Only where there is a broker to subscribe at. True: the app has answered just now. */
  async #askApp(): Promise<boolean> {
    const channel = this.#channel;
    return channel !== undefined && this.#brokers.size > 0 && this.#programmatic.ask(channel, this.#abort.signal);
  }
}
