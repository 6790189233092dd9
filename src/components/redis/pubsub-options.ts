import { ComponentError } from "../spi/errors.ts";
import type { DecodedMetadata } from "../spi/metadata.ts";
import type { PUBSUB_FIELDS } from "./fields.ts";

/** How a broker reads and trims its streams. */
export interface PubSubOptions {
  /** Name of the group and of the consumer in it, as Dapr has them. */
  readonly consumerId: string;
  /** Milliseconds a message may go unacknowledged; undefined: messages are not delivered again. */
  readonly processingTimeoutMs: number | undefined;
  readonly redeliverIntervalMs: number;
  /** Most messages of one subscription in our hands. */
  readonly heldMax: number;
  readonly concurrency: number;
  readonly maxLenApprox: number;
  /** Undefined: messages do not expire. */
  readonly streamTtlMs: number | undefined;
}

/** @throws ComponentError `invalidMetadata` */
export function pubsubOptions(metadata: DecodedMetadata<typeof PUBSUB_FIELDS>, appId: string): PubSubOptions {
  const { processingTimeout, redeliverInterval, queueDepth, concurrency, streamTTL } = metadata;
  if (concurrency < 1 || queueDepth < 0) {
    throw new ComponentError(
      "invalidMetadata",
      "redis streams: concurrency must be 1 or more and queueDepth 0 or more",
    );
  }
  const redelivers = processingTimeout > 0 && redeliverInterval > 0;
  return {
    consumerId: metadata.consumerID?.trim() || appId,
    processingTimeoutMs: redelivers ? Math.max(1, Math.trunc(processingTimeout)) : undefined,
    redeliverIntervalMs: redeliverInterval,
    heldMax: Math.max(queueDepth, concurrency),
    concurrency,
    maxLenApprox: Math.max(0, metadata.maxLenApprox),
    streamTtlMs: streamTTL !== undefined && streamTTL > 0 ? streamTTL : undefined,
  };
}
