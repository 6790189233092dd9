import type { Component } from "./component.ts";
import type { RequestMetadata } from "./state.ts";

export interface PublishRequest {
  readonly topic: string;
  readonly data: Uint8Array;
  readonly contentType: string | undefined;
  readonly metadata: RequestMetadata;
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

/** Settles a message: resolving acknowledges it, rejecting asks the broker for its own way of redelivery. */
export type MessageHandler = (message: PubSubMessage, signal: AbortSignal) => Promise<void>;

/** One live subscription at a broker. `close` stops intake and resolves when handlers under way have settled. */
export interface PubSubSubscription {
  close(): Promise<void>;
}

/** A message broker. Resolving `publish` means that the broker has taken the message. */
export interface PubSub extends Component {
  publish(request: PublishRequest): Promise<void>;
  subscribe(request: SubscribeRequest, handler: MessageHandler): Promise<PubSubSubscription>;
}
