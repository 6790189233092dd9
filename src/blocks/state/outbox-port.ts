import type { ComponentMetadata } from "../../components/spi/component.ts";
import type { StateOperation } from "../../components/spi/state.ts";

/** What a store's metadata says about its outbox. */
export interface OutboxSettings {
  /** Where the events of committed transactions go. */
  readonly publishPubsub: string;
  readonly publishTopic: string;
  /** Broker of the topic in between; the first one unless `outboxPubsub` names another. */
  readonly outboxPubsub: string;
  /** An event whose transaction cannot be found is dropped instead of being given back to the broker. */
  readonly discardWhenMissing: boolean;
}

const TRUTHY: ReadonlySet<string> = new Set(["y", "yes", "true", "t", "on", "1"]);

/** Undefined: the store has none, since `outboxPublishPubsub` or `outboxPublishTopic` is missing. Names match by case, as in Dapr. */
export function outboxSettingsOf(metadata: ComponentMetadata): OutboxSettings | undefined {
  const publishPubsub = metadata["outboxPublishPubsub"] ?? "";
  const publishTopic = metadata["outboxPublishTopic"] ?? "";
  if (publishPubsub === "" || publishTopic === "") {
    return undefined;
  }
  return {
    publishPubsub,
    publishTopic,
    outboxPubsub: metadata["outboxPubsub"] || publishPubsub,
    discardWhenMissing: isTruthy(metadata["outboxDiscardWhenMissingState"] ?? ""),
  };
}

/** What Dapr takes for yes. */
export function isTruthy(text: string): boolean {
  return TRUTHY.has(text.trim().toLowerCase());
}

/** W3C trace context of the request whose transaction it is. */
export interface TransactionTrace {
  readonly traceparent: string;
  readonly tracestate: string;
}

/** One operation as the store would get it, with the content type its caller gave (empty: none). */
export interface AnnouncedOperation {
  readonly operation: StateOperation;
  readonly contentType: string;
}

/**
 * How a transaction ended: `rejected` when the store refused it for what it says, so that it cannot have happened nor
 * happen later; `unknown` when the store failed and may have done it.
 */
export type TransactionOutcome = "committed" | "rejected" | "unknown";

export interface AnnouncedTransaction {
  /** What to run instead: projections taken out, a marker for each event added. */
  readonly operations: readonly StateOperation[];
  /** To be called once, when the store has answered. */
  settle(outcome: TransactionOutcome): void;
}

/**
 * What a transaction on a store with an outbox goes through before it reaches the store. The state block knows no
 * brokers; the outbox block stands behind this port.
 */
export interface OutboxPort {
  /** @throws ApiError `pubsubErrors.publishOutbox`; the transaction must then not run */
  announce(
    store: string,
    settings: OutboxSettings,
    operations: readonly AnnouncedOperation[],
    trace: TransactionTrace | undefined,
  ): Promise<AnnouncedTransaction>;
}
