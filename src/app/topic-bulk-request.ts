import { create } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  TopicEventBulkRequestSchema,
  type TopicEventBulkRequest,
  type TopicEventBulkRequestEntrySchema,
} from "../wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { BULK_EVENT_TYPE, bareBytesOf } from "./topic-bulk-envelope.ts";
import { topicEventRequest } from "./topic-event-request.ts";
import type { TopicBulk, TopicBulkEntry } from "./types.ts";

/**
 * The `OnBulkTopicEvent` request for a bulk.
 * @throws TopicEventDataError when the data of an event does not fit its content type
 */
export function topicBulkRequest(bulk: TopicBulk): TopicEventBulkRequest {
  const { id, pubsubName, topic, path } = bulk;
  return create(TopicEventBulkRequestSchema, {
    id,
    entries: bulk.entries.map(entryOf),
    metadata: { pubsubName },
    topic,
    pubsubName,
    type: BULK_EVENT_TYPE,
    path,
  });
}

function entryOf(entry: TopicBulkEntry): MessageInitShape<typeof TopicEventBulkRequestEntrySchema> {
  const { entryId, event, contentType, metadata } = entry;
  const bytes = bareBytesOf(entry);
  if (bytes !== undefined) {
    return { entryId, contentType, metadata, event: { case: "bytes", value: bytes } };
  }
  const { id, source, type, specVersion, dataContentType, data, extensions } = topicEventRequest(event);
  const value = { id, source, type, specVersion, dataContentType, data, ...(extensions && { extensions }) };
  return { entryId, contentType, metadata, event: { case: "cloudEvent", value } };
}
