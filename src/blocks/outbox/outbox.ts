import { isDeepStrictEqual } from "node:util";
import type { StateOperation, StateStore } from "../../components/spi/state.ts";
import { pubsubErrors } from "../../errors/catalogue/pubsub.ts";
import { ApiError, apiError, ERROR_DOMAIN } from "../../errors/error.ts";
import type { ComponentView } from "../../inventory/types.ts";
import type { Clock, Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import type { Broker } from "../pubsub/brokers.ts";
import type { PubSubBlock } from "../pubsub/pubsub-block.ts";
import type { SubscriptionCondition } from "../pubsub/subscription-conditions.ts";
import { Rfc3339Clock } from "../pubsub/rfc3339-clock.ts";
import {
  type AnnouncedOperation,
  type AnnouncedTransaction,
  type OutboxPort,
  type OutboxSettings,
  outboxSettingsOf,
  type TransactionTrace,
} from "../state/outbox-port.ts";
import { outboxEvent, planOutbox } from "./outbox-event.ts";
import { MARKER_PREFIX, OutboxRelay } from "./outbox-relay.ts";
import { TransactionMemory } from "./transaction-memory.ts";

/** Waits between attempts to subscribe to an internal topic, in milliseconds. */
const OPEN_RETRY_MS_MIN = 500;
const OPEN_RETRY_MS_MAX = 60_000;
const OPEN_RETRY_FACTOR = 1.5;

/** What a marker holds, as Dapr's: the JSON text of a string. */
const MARKER_VALUE: Uint8Array = Buffer.from('"0"');

/**
 * The transactional outbox: the events of a transaction lie at a broker before the store is asked, and go on to their
 * topic once the transaction is found in the store.
 */
export interface Outbox extends OutboxPort {
  /**
   * Subscribes to the internal topics of the stores that have an outbox, and follows stores and brokers from now on. A
   * broker that refuses is asked again; until it agrees, transactions on the store are refused.
   */
  start(): Promise<void>;
  /** How the subscriptions to internal topics are doing. */
  conditions(): readonly SubscriptionCondition[];
  /** Stops relaying; events that wait stay with their brokers. */
  close(): Promise<void>;
}

export interface OutboxDeps {
  readonly appId: string;
  readonly namespace: string;
  readonly stores: ComponentView<StateStore>;
  readonly pubsub: PubSubBlock;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export function createOutbox(deps: OutboxDeps): Outbox {
  return new TransactionalOutbox(deps);
}

/** One store's relay: open once its internal topic is subscribed to. */
interface Line {
  /** What it was opened at; undefined: there was none. */
  readonly broker: Broker | undefined;
  readonly settings: OutboxSettings;
  readonly relay: OutboxRelay;
  /** Undefined while it is open. */
  problem: string | undefined;
  retry: Timer | undefined;
}

class TransactionalOutbox implements Outbox {
  readonly #deps: OutboxDeps;
  readonly #logger: Logger;
  readonly #memory = new TransactionMemory();
  readonly #time: Rfc3339Clock;
  readonly #lines = new Map<string, Line>();
  #closed = false;
  /** Changes run one after the other; this is the end of the queue. */
  #queue: Promise<void> = Promise.resolve();

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
    this.#logger = deps.logger.scope("dapr.outbox");
    this.#time = new Rfc3339Clock(deps.clock);
  }

  start(): Promise<void> {
    const { stores, pubsub } = this.#deps;
    pubsub.brokers.watch((name) => this.#inTurn(() => this.#followBroker(name)));
    stores.watch((name) => this.#inTurn(() => this.#replace(name)));
    return this.#queue;
  }

  close(): Promise<void> {
    this.#closed = true;
    return this.#inTurn(async () => {
      await Promise.all([...this.#lines].map(([store, line]) => this.#drop(store, line)));
    });
  }

  conditions(): readonly SubscriptionCondition[] {
    return [...this.#lines].map(([store, { settings, problem }]) => {
      const pubsubName = settings.outboxPubsub;
      const facts = { pubsubName, topic: this.#topicOf(settings), source: { kind: "outbox", store } } as const;
      if (problem === undefined) {
        return { ...facts, state: "active" };
      }
      const waitingFor = this.#deps.pubsub.brokers.get(pubsubName) === undefined ? "component" : "broker";
      return { ...facts, state: "waiting", waitingFor, reason: problem };
    });
  }

  async announce(
    store: string,
    settings: OutboxSettings,
    announced: readonly AnnouncedOperation[],
    trace: TransactionTrace | undefined,
  ): Promise<AnnouncedTransaction> {
    const { random, appId, pubsub } = this.#deps;
    const { operations, payloads } = planOutbox(announced);
    if (payloads.length === 0) {
      return { operations, settle: () => undefined };
    }
    const problem = this.#lines.get(store)?.problem ?? (this.#lines.has(store) ? undefined : "it is not running");
    if (problem !== undefined) {
      throw this.#failure(`the outbox of state store ${store} does not take events: ${problem}`);
    }
    const markers = payloads.map(() => MARKER_PREFIX + random.uuid());
    const settle = this.#memory.begin(markers);
    const topic = this.#topicOf(settings);
    try {
      for (const [index, payload] of payloads.entries()) {
        const id = markers[index] as string;
        const facts = { id, source: appId, pubsub: settings.outboxPubsub, time: this.#time.now(), trace };
        await pubsub.forward(settings.outboxPubsub, topic, outboxEvent(payload, facts), undefined, {});
      }
    } catch (error) {
      settle("rejected");
      throw this.#failure(reasonOf(error), error);
    }
    return { operations: [...operations, ...markers.map(markerOperation)], settle };
  }

  /** Dapr's name, so that sidecars of both kinds relay for each other. */
  #topicOf({ publishTopic }: OutboxSettings): string {
    const { namespace, appId } = this.#deps;
    return `${namespace}${appId}${publishTopic}outbox`;
  }

  #failure(reason: string, cause?: unknown): ApiError {
    const metadata = { appID: this.#deps.appId, error: reason };
    return apiError(
      pubsubErrors.publishOutbox,
      { reason },
      {
        cause,
        details: [{ kind: "ErrorInfo", reason: pubsubErrors.publishOutbox.reason, domain: ERROR_DOMAIN, metadata }],
      },
    );
  }

  /** A store that is exchanged keeps its line; a new broker is listened to before the old one is left. */
  async #replace(store: string): Promise<void> {
    const { stores, pubsub } = this.#deps;
    const loaded = stores.get(store);
    const settings = loaded === undefined ? undefined : outboxSettingsOf(loaded.metadata);
    const line = this.#lines.get(store);
    if (settings === undefined || this.#closed) {
      await this.#drop(store, line);
      return;
    }
    const sameBroker = line !== undefined && line.broker === pubsub.brokers.get(settings.outboxPubsub);
    if (sameBroker && line.problem === undefined && isDeepStrictEqual(line.settings, settings)) {
      return;
    }
    if (sameBroker) {
      await this.#drop(store, line);
    }
    await this.#open(store, settings, OPEN_RETRY_MS_MIN);
    if (!sameBroker) {
      await this.#leave(store, line);
    }
  }

  async #followBroker(pubsub: string): Promise<void> {
    const affected = [...this.#lines.keys()].filter(
      (store) => this.#lines.get(store)?.settings.outboxPubsub === pubsub,
    );
    for (const store of affected) {
      await this.#replace(store);
    }
  }

  async #open(store: string, settings: OutboxSettings, retryMs: number): Promise<void> {
    const relay = new OutboxRelay({ ...this.#deps, logger: this.#logger, memory: this.#memory, store, settings });
    const broker = this.#deps.pubsub.brokers.get(settings.outboxPubsub);
    const line: Line = { broker, settings, relay, problem: undefined, retry: undefined };
    this.#lines.set(store, line);
    try {
      await relay.open(this.#topicOf(settings));
    } catch (error) {
      line.problem = errorMessage(error);
      this.#logger.warn(`could not subscribe to internal outbox topic: ${line.problem}`);
      line.retry = this.#deps.clock.after(retryMs, () => {
        void this.#inTurn(async () => {
          if (this.#lines.get(store) === line && !this.#closed) {
            await this.#open(store, settings, Math.min(retryMs * OPEN_RETRY_FACTOR, OPEN_RETRY_MS_MAX));
          }
        });
      });
    }
  }

  async #drop(store: string, line: Line | undefined): Promise<void> {
    if (line !== undefined && this.#lines.get(store) === line) {
      this.#lines.delete(store);
    }
    await this.#leave(store, line);
  }

  async #leave(store: string, line: Line | undefined): Promise<void> {
    if (line === undefined) {
      return;
    }
    line.retry?.cancel();
    try {
      await line.relay.close();
    } catch (error) {
      this.#logger.error(`error while closing the outbox of state store ${store}: ${errorMessage(error)}`);
    }
  }

  #inTurn(action: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(action);
    return this.#queue;
  }
}

/** Unlike the app's keys, markers have no prefix. */
function markerOperation(key: string): StateOperation {
  return {
    kind: "upsert",
    request: {
      key,
      value: MARKER_VALUE,
      valueIsJson: true,
      etag: undefined,
      metadata: {},
      concurrency: "",
      consistency: "",
    },
  };
}

/** Errors of the pub/sub block carry the bare reason among their details. */
function reasonOf(error: unknown): string {
  if (error instanceof ApiError) {
    for (const detail of error.details) {
      if (detail.kind === "ErrorInfo") {
        return detail.metadata?.["error"] ?? error.message;
      }
    }
  }
  return errorMessage(error);
}
