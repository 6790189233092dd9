import { ConsumerGoneError, type PubSubMessage, type PubSubSubscription } from "../../components/spi/pubsub.ts";
import type { StateStore } from "../../components/spi/state.ts";
import type { ComponentView } from "../../inventory/types.ts";
import { type Clock, sleep } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import { type JsonMembers, readJsonMembers, stringMember, writeJsonMembers } from "../../kit/json-members.ts";
import type { Logger } from "../../kit/logger.ts";
import type { PubSubBlock } from "../pubsub/pubsub-block.ts";
import type { OutboxSettings } from "../state/outbox-port.ts";
import type { TransactionMemory } from "./transaction-memory.ts";

/** First part of every marker's key; an event whose id begins otherwise comes from no outbox. */
export const MARKER_PREFIX = "outbox-";

/** Pauses between looks for a marker, and between attempts to delete one, in milliseconds. */
const PAUSE_MS_MIN = 500;
const PAUSE_MS_MAX = 3_000;
const PAUSE_FACTOR = 3;

/** How long a marker is waited for that another sidecar's transaction may still bring, in milliseconds. */
export const MARKER_WAIT_MS = 11_000;
/** How long deleting a marker is tried, in milliseconds. */
export const MARKER_DELETE_MS = 10_000;

/** An event goes back to the broker; the text is Dapr's. */
export class OutboxRetryError extends Error {
  override readonly name = "OutboxRetryError";
}

export interface OutboxRelayDeps {
  readonly store: string;
  readonly stores: ComponentView<StateStore>;
  readonly settings: OutboxSettings;
  readonly pubsub: PubSubBlock;
  readonly memory: TransactionMemory;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Takes the events of one store from its internal topic and sends on those whose transaction has happened, which its
 * marker in the store tells. An event is acknowledged when it has gone on and its marker is deleted, so that a crash in
 * between sends it twice but never loses it.
 */
export class OutboxRelay {
  readonly #deps: OutboxRelayDeps;
  readonly #abort = new AbortController();
  #subscription: PubSubSubscription | undefined;

  constructor(deps: OutboxRelayDeps) {
    this.#deps = deps;
  }

  /** Subscribes at the outbox broker. @throws Error with its reason */
  async open(topic: string): Promise<void> {
    const { pubsub, settings } = this.#deps;
    const broker = pubsub.brokers.get(settings.outboxPubsub);
    if (broker === undefined) {
      throw new Error(`outbox pubsub ${settings.outboxPubsub} not loaded`);
    }
    const request = { topic: broker.topicPrefix + topic, metadata: {} };
    this.#subscription = await broker.loaded.component.subscribe(request, (message) => this.#relay(message));
  }

  /** Gives back what waits for a marker and lets the others finish. */
  async close(): Promise<void> {
    this.#abort.abort(new ConsumerGoneError());
    await this.#subscription?.close();
  }

  async #relay({ data }: PubSubMessage): Promise<void> {
    const { memory, settings, logger } = this.#deps;
    const event = readJsonMembers(data);
    const marker = event === undefined ? undefined : stringMember(event, "id");
    if (event === undefined || marker === undefined || !marker.startsWith(MARKER_PREFIX)) {
      // Its id names a key that would be deleted: nobody but an outbox may choose it.
      logger.error(`dropped a message of the internal topic of ${settings.publishTopic} that comes from no outbox`);
      return;
    }
    const fate = await memory.fateOf(marker);
    if (fate === "relayed" || !(await this.#hasHappened(marker, fate))) {
      return;
    }
    await this.#forward(event);
    await this.#persist(MARKER_DELETE_MS, () => this.#store().delete({ ...NO_OPTIONS, key: marker, etag: undefined }));
    memory.note(marker, "relayed");
  }

  /** False: the event is to be dropped. @throws OutboxRetryError when it cannot be told */
  async #hasHappened(marker: string, fate: "committed" | "rejected" | "unknown" | "missed"): Promise<boolean> {
    if (fate === "committed") {
      return true;
    }
    const { settings, memory, logger } = this.#deps;
    try {
      await this.#persist(fate === "unknown" ? MARKER_WAIT_MS : 0, () => this.#findMarker(marker));
      return true;
    } catch (error) {
      if (fate === "rejected" && error instanceof MarkerMissingError) {
        logger.debug(`dropped an event for topic ${settings.publishTopic}: its transaction was refused`);
        return false;
      }
      if (this.#abort.signal.aborted) {
        throw new ConsumerGoneError({ cause: error });
      }
      const failure = `failed to publish outbox topic to pubsub ${settings.publishPubsub}: ${errorMessage(error)}`;
      const isMissing = error instanceof MarkerMissingError;
      // A store that cannot be asked says nothing: Dapr drops the event then too.
      if (settings.discardWhenMissing && isMissing) {
        logger.error(`${failure}, discarding message`);
        return false;
      }
      if (isMissing) {
        memory.note(marker, "missed");
      }
      logger.error(`${failure}, rejecting for later processing`);
      throw error;
    }
  }

  async #findMarker(marker: string): Promise<void> {
    const item = await this.#store().get({ key: marker, metadata: {}, consistency: "" });
    if (item === undefined || item.data.length === 0) {
      const { publishTopic, publishPubsub } = this.#deps.settings;
      throw new MarkerMissingError(
        `cannot publish outbox message to topic ${publishTopic} with pubsub ${publishPubsub}: outbox state not found`,
      );
    }
  }

  async #forward(event: JsonMembers): Promise<void> {
    const { pubsub, settings } = this.#deps;
    const { publishPubsub, publishTopic } = settings;
    event.set("topic", JSON.stringify(publishTopic));
    event.set("pubsubname", JSON.stringify(publishPubsub));
    const contentType = stringMember(event, "datacontenttype");
    await pubsub.forward(publishPubsub, publishTopic, writeJsonMembers(event), contentType, {});
  }

  #store(): StateStore {
    const { stores, store } = this.#deps;
    const loaded = stores.get(store);
    if (loaded === undefined) {
      throw new OutboxRetryError(`cannot get outbox state: state store ${store} not found`);
    }
    return loaded.component;
  }

  /** Tries again with growing pauses until the time is over. @throws what the last attempt threw */
  async #persist(limitMs: number, attempt: () => Promise<void>): Promise<void> {
    const { clock } = this.#deps;
    const startMs = clock.monotonicMs();
    for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * PAUSE_FACTOR, PAUSE_MS_MAX)) {
      try {
        return await attempt();
      } catch (error) {
        if (this.#abort.signal.aborted || clock.monotonicMs() - startMs + pauseMs > limitMs) {
          throw error;
        }
      }
      await sleep(clock, pauseMs, this.#abort.signal);
    }
  }
}

class MarkerMissingError extends OutboxRetryError {}

const NO_OPTIONS = { metadata: {}, concurrency: "", consistency: "" } as const;
