import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { PubSubBlock } from "../../blocks/pubsub/pubsub-block.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import {
  type BulkPublishRequest,
  type BulkPublishResponse,
  BulkPublishResponseSchema,
} from "../../wire/gen/dapr/proto/runtime/v1/pubsub_pb.js";
import { callTrace } from "./call-trace.ts";
import type { ServiceHandlers } from "./service.ts";

/** PublishEvent, BulkPublishEvent and its alpha twin of `dapr.proto.runtime.v1.Dapr`. */
export function publishHandlers(
  block: PubSubBlock,
): Pick<ServiceHandlers<typeof Dapr>, "publishEvent" | "bulkPublishEvent" | "bulkPublishEventAlpha1"> {
  const empty = create(EmptySchema);
  const bulkPublish = async (request: BulkPublishRequest, call: ServerCall): Promise<BulkPublishResponse> => {
    const { failure, failedEntries } = await block.bulkPublish({
      pubsub: request.pubsubName,
      topic: request.topic,
      metadata: request.metadata,
      entries: request.entries.map((entry) => ({
        entryId: entry.entryId,
        event: entry.event,
        contentType: entry.contentType,
        metadata: hasAny(entry.metadata) ? entry.metadata : undefined,
      })),
      trace: callTrace(call),
    });
    if (failure !== undefined) {
      throw failure;
    }
    return create(BulkPublishResponseSchema, { failedEntries: failedEntries.map((entry) => ({ ...entry })) });
  };
  return {
    async publishEvent(request, call) {
      await block.publish({
        pubsub: request.pubsubName,
        topic: request.topic,
        data: request.data,
        contentType: request.dataContentType,
        metadata: request.metadata,
        trace: callTrace(call),
      });
      return empty;
    },
    bulkPublishEvent: bulkPublish,
    // oxlint-disable-next-line typescript/no-deprecated -- older SDKs call only this one
    bulkPublishEventAlpha1: bulkPublish,
  };
}

function hasAny(map: Readonly<Record<string, string>>): boolean {
  for (const _ in map) {
    return true;
  }
  return false;
}
