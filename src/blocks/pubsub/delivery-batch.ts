import type { DeliveryOutcome, SubscriptionSpec, TopicBulkEntry, TopicEvent } from "../../app/types.ts";
import type { PubSubMessage } from "../../components/spi/pubsub.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Clock, Timer } from "../../kit/clock.ts";
import type { Random } from "../../kit/random.ts";
import type { Policy } from "../../resiliency/types.ts";
import type { BulkTarget } from "./delivery-target.ts";
import { deliverBulkGuarded } from "./guarded-delivery.ts";
import type { PubSubMetrics } from "./metrics.ts";

/** Events of a bulk where the subscription does not say. */
const MESSAGES_DEFAULT = 100;
/** How long the first event of a bulk waits for others where the subscription does not say, in milliseconds. */
const AWAIT_MS_DEFAULT = 1000;
const CLOUD_EVENT = "application/cloudevents+json";
const BARE_BYTES = "application/octet-stream";

export interface DeliveryBatchDeps {
  readonly spec: SubscriptionSpec;
  readonly target: BulkTarget;
  /** Nothing is collected: each event goes at once. */
  readonly immediate: boolean;
  /** For each list's way to the app. */
  readonly policy?: Policy | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: PubSubMetrics;
}

interface Pending {
  readonly entry: TopicBulkEntry;
  readonly signal: CancelSignal;
  readonly settle: (outcome: DeliveryOutcome) => void;
}

/**
 * Holds the events of a bulk subscription until there are enough of them or the first has waited long enough, and takes
 * them to the app in one call for each route. Each event has an outcome of its own.
 */
export class DeliveryBatch {
  readonly #deps: DeliveryBatchDeps;
  readonly #messagesMax: number;
  readonly #awaitMs: number;
  #pending: Pending[] = [];
  #timer: Timer | undefined;
  #closing = false;

  constructor(deps: DeliveryBatchDeps) {
    this.#deps = deps;
    const { maxMessagesCount, maxAwaitDurationMs } = deps.spec.bulk;
    this.#messagesMax = deps.immediate ? 1 : maxMessagesCount > 0 ? maxMessagesCount : MESSAGES_DEFAULT;
    this.#awaitMs = maxAwaitDurationMs > 0 ? maxAwaitDurationMs : AWAIT_MS_DEFAULT;
  }

  deliver(event: TopicEvent, { contentType, metadata }: PubSubMessage, signal: CancelSignal): Promise<DeliveryOutcome> {
    const { promise, resolve } = Promise.withResolvers<DeliveryOutcome>();
    const entry: TopicBulkEntry = {
      entryId: this.#deps.random.uuid(),
      event,
      contentType: contentTypeOf(event, contentType),
      metadata,
    };
    this.#pending.push({ entry, signal, settle: resolve });
    if (this.#closing || this.#pending.length >= this.#messagesMax) {
      this.#flush();
    } else {
      this.#timer ??= this.#deps.clock.after(this.#awaitMs, () => this.#flush());
    }
    return promise;
  }

  /** What waits goes to the app now, and from here on nothing waits. */
  beginClose(): void {
    this.#closing = true;
    this.#flush();
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const pending = this.#pending;
    this.#pending = [];
    for (const group of Map.groupBy(pending, ({ entry }) => entry.event.path).values()) {
      void this.#send(group);
    }
  }

  async #send(group: readonly Pending[]): Promise<void> {
    const { spec, policy, clock, metrics } = this.#deps;
    const [first] = group;
    if (first === undefined) {
      return;
    }
    const { topic, path } = first.entry.event;
    const entries = group.map(({ entry }) => entry);
    const startedMs = clock.monotonicMs();
    const attempt = (some: readonly TopicBulkEntry[], signal: CancelSignal): Promise<readonly DeliveryOutcome[]> =>
      this.#attempt(topic, path, some, signal);
    const outcomes = await (policy === undefined
      ? attempt(entries, first.signal)
      : deliverBulkGuarded(policy, first.signal, entries, attempt));
    const counts = { success: 0, retry: 0, drop: 0 };
    for (const [index, { settle }] of group.entries()) {
      const outcome = outcomes[index] ?? { kind: "retry", reason: "the app's answer names no such entry" };
      counts[outcome.kind === "success" && outcome.warning !== undefined ? "drop" : outcome.kind] += 1;
      settle(outcome);
    }
    metrics.bulkIngress(spec.pubsubName, topic, counts, clock.monotonicMs() - startedMs);
  }

  #attempt(
    topic: string,
    path: string,
    entries: readonly TopicBulkEntry[],
    signal: CancelSignal,
  ): Promise<readonly DeliveryOutcome[]> {
    const { spec, target, random } = this.#deps;
    return target.deliverBulk({ id: random.uuid(), pubsubName: spec.pubsubName, topic, path, entries }, signal);
  }
}

/** A CloudEvent in JSON is called one whatever its publisher called the data in it: SDKs go by it. */
function contentTypeOf(event: TopicEvent, given: string | undefined): string {
  const isBare = event.rawPayload || event.fields["data"] instanceof Uint8Array;
  return isBare ? given || BARE_BYTES : CLOUD_EVENT;
}
