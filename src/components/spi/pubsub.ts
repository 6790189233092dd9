import type { Component } from "./component.ts";
import type { RequestMetadata } from "./request-metadata.ts";

export interface PublishRequest {
  readonly topic: string;
  readonly data: Uint8Array;
  readonly contentType: string | undefined;
  readonly metadata: RequestMetadata;
}

/** One message of a bulk publish; ids are unique within it. */
export interface BulkPublishMessage {
  readonly entryId: string;
  readonly data: Uint8Array;
  readonly contentType: string | undefined;
  readonly metadata: RequestMetadata;
}

export interface BulkPublishRequest {
  readonly topic: string;
  readonly messages: readonly BulkPublishMessage[];
  readonly metadata: RequestMetadata;
}

/** A message of a bulk that the broker has not taken. */
export interface BulkPublishFailure {
  readonly entryId: string;
  readonly error: string;
}

/** A message handed to a consumer. */
export interface PubSubMessage {
  readonly topic: string;
  readonly data: Uint8Array;
  readonly contentType: string | undefined;
  readonly metadata: RequestMetadata;
}

export interface SubscribeRequest {
  readonly topic: string;
  readonly metadata: RequestMetadata;
  /** The handler holds messages until it has several, or the first has waited long enough. */
  readonly bulk?: boolean;
}

/**
 * Rejects a message whose consumer went away before it answered: a component tells its broker neither that it was taken
 * nor that it failed, but lets go of it as a consumer that vanished does. Where the broker can be told to hand it to
 * another consumer at once, without counting an attempt, it is.
 */
export class ConsumerGoneError extends Error {
  override readonly name = "ConsumerGoneError";

  constructor(options?: ErrorOptions) {
    super("the subscription is closing", options);
  }
}

/**
 * Settles a message: resolving acknowledges it, rejecting asks the broker for its own way of redelivery; a
 * ConsumerGoneError does neither.
 */
export type MessageHandler = (message: PubSubMessage, signal: AbortSignal) => Promise<void>;

/** One live subscription at a broker. `close` stops intake and resolves when handlers under way have settled. */
export interface PubSubSubscription {
  close(): Promise<void>;
}

/** A message broker. Resolving `publish` means that the broker has taken the message. */
export interface PubSub extends Component {
  publish(request: PublishRequest): Promise<void>;
  subscribe(request: SubscribeRequest, handler: MessageHandler): Promise<PubSubSubscription>;
  /** Capability BULK_PUBSUB. @returns those that were not taken; @throws ComponentError when the broker says nothing of single ones */
  bulkPublish?(request: BulkPublishRequest): Promise<readonly BulkPublishFailure[]>;
  /**
   * The sidecar is about to close its subscriptions for good: the broker hands out nothing new, and what it has handed
   * out is still taken and settled.
   * @returns false when it cannot do that
   */
  pause?(): Promise<boolean>;
}
