import { errorMessage } from "../../kit/error-message.ts";
import type { BulkPublishMessage, PublishRequest, PubSub } from "../../components/spi/pubsub.ts";
import type { RequestMetadata } from "../../components/spi/request-metadata.ts";
import type { ApiError } from "../../errors/error.ts";
import { marshalEvents } from "./errors.ts";
import type { PublishOrigin } from "./publish-origin.ts";
import type { RequestTrace } from "./producer-spans.ts";

/** Publishes under way at once for one bulk request. */
export const BULK_PUBLISH_CONCURRENCY_MAX = 100;

export interface BulkPublishEntry {
  readonly entryId: string;
  readonly event: Uint8Array;
  readonly contentType: string;
  /** Undefined: none given, and then the request's metadata does not apply to this entry either, as in Dapr. */
  readonly metadata: RequestMetadata | undefined;
}

/** A whole list for one topic. */
export interface BulkPublishCall {
  readonly pubsub: string;
  readonly topic: string;
  readonly entries: readonly BulkPublishEntry[];
  readonly metadata: RequestMetadata;
  readonly trace?: RequestTrace | undefined;
  /** As of a single message. */
  readonly origin?: PublishOrigin | undefined;
}

export interface FailedEntry {
  readonly entryId: string;
  readonly error: string;
}

/** Entries that could not be published, in the order they failed. */
export interface BulkPublishOutcome {
  readonly failedEntries: readonly FailedEntry[];
  /** The error of the request as a whole; undefined also where a broker that takes lists refused single entries only. */
  readonly failure: ApiError | undefined;
}

const NO_METADATA: RequestMetadata = Object.freeze({});

/**
 * Checks the entry ids and makes each entry's message. An entry's own metadata wins over the request's.
 * @throws ApiError marshalEvents for an id that is empty or comes twice
 */
export function wrapEntries(
  call: BulkPublishCall,
  appId: string,
  toData: (entry: BulkPublishEntry, metadata: RequestMetadata) => Uint8Array,
): BulkPublishMessage[] {
  const ids = new Set<string>();
  return call.entries.map((entry) => {
    if (entry.entryId === "" || ids.has(entry.entryId)) {
      throw marshalEvents(call.pubsub, call.topic, appId, "entryId is duplicated or not present for entry");
    }
    ids.add(entry.entryId);
    const metadata = entry.metadata === undefined ? NO_METADATA : { ...call.metadata, ...entry.metadata };
    return { entryId: entry.entryId, data: toData(entry, metadata), contentType: entry.contentType, metadata };
  });
}

/** What became of a list: `cause` is why the request as a whole failed; undefined although single entries may have. */
export interface BulkResult {
  readonly failedEntries: readonly FailedEntry[];
  readonly cause: unknown;
}

/** For brokers that take a list in one call. An error without entries is one of them all, as in Dapr. */
export async function publishAtOnce(
  component: PubSub,
  topic: string,
  messages: readonly BulkPublishMessage[],
  metadata: RequestMetadata,
): Promise<BulkResult> {
  try {
    const failedEntries = await component.bulkPublish?.({ topic, messages, metadata });
    return { failedEntries: failedEntries ?? [], cause: undefined };
  } catch (cause) {
    const error = errorMessage(cause);
    return { failedEntries: messages.map(({ entryId }) => ({ entryId, error })), cause };
  }
}

/** For brokers that take one message at a time: a bounded number of publishes side by side. */
export async function publishInParallel(
  component: PubSub,
  topic: string,
  messages: readonly BulkPublishMessage[],
): Promise<BulkResult> {
  const failedEntries: FailedEntry[] = [];
  let firstCause: unknown;
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let message = messages[next++]; message !== undefined; message = messages[next++]) {
      const request: PublishRequest = {
        topic,
        data: message.data,
        contentType: message.contentType,
        metadata: message.metadata,
      };
      try {
        await component.publish(request);
      } catch (cause) {
        firstCause ??= cause;
        failedEntries.push({ entryId: message.entryId, error: errorMessage(cause) });
      }
    }
  };
  const workers: Promise<void>[] = [];
  for (let count = Math.min(BULK_PUBLISH_CONCURRENCY_MAX, messages.length); count > 0; count -= 1) {
    workers.push(worker());
  }
  await Promise.all(workers);
  return { failedEntries, cause: firstCause };
}
