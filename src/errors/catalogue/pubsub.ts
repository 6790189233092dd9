import { GRPC_STATUS } from "../grpc-status.ts";
import type { ErrorEntry } from "../error.ts";

/** Errors of the pub/sub API, as Dapr 1.18's pkg/api/errors/pubsub.go and pkg/messages/errorcodes have them. */
export const pubsubErrors = {
  nameEmpty: entry("ERR_PUBSUB_EMPTY", "NAME_EMPTY", 404, GRPC_STATUS.INVALID_ARGUMENT, "pubsub name is empty"),
  notFound: entry(
    "ERR_PUBSUB_NOT_FOUND",
    "NOT_FOUND",
    404,
    GRPC_STATUS.INVALID_ARGUMENT,
    "pubsub {pubsub} is not found",
  ),
  /** The broker went away between the check of the request and the publish. */
  goneAtPublish: entry(
    "ERR_PUBSUB_NOT_FOUND",
    "TEST_NOT_FOUND",
    400,
    GRPC_STATUS.NOT_FOUND,
    "pubsub '{pubsub}' not found",
  ),
  topicEmpty: entry(
    "ERR_TOPIC_NAME_EMPTY",
    "TOPIC_NAME_EMPTY",
    404,
    GRPC_STATUS.INVALID_ARGUMENT,
    "topic is empty in pubsub {pubsub}",
  ),
  forbidden: entry(
    "ERR_PUBSUB_FORBIDDEN",
    "FORBIDDEN",
    403,
    GRPC_STATUS.PERMISSION_DENIED,
    "topic {topic} is not allowed for app id {appId}",
  ),
  publishMessage: entry(
    "ERR_PUBSUB_PUBLISH_MESSAGE",
    "PUBLISH_MESSAGE",
    500,
    GRPC_STATUS.INTERNAL,
    "error when publishing to topic {topic} in pubsub {pubsub}: {reason}",
  ),
  requestMetadata: entry(
    "ERR_PUBSUB_REQUEST_METADATA",
    "METADATA_DESERIALIZATION",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "failed deserializing metadata. Error: {reason}",
  ),
  cloudEventCreation: entry(
    "ERR_PUBSUB_CLOUD_EVENTS_SER",
    "CLOUD_EVENT_CREATION",
    500,
    GRPC_STATUS.INVALID_ARGUMENT,
    "cannot create cloudevent",
  ),
  marshalEnvelope: entry(
    "ERR_PUBSUB_EVENTS_SER",
    "MARSHAL_ENVELOPE",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "error when marshalling cloud event envelope for topic {topic} pubsub {pubsub}: {reason}",
  ),
  marshalEvents: entry(
    "ERR_PUBSUB_EVENTS_SER",
    "MARSHAL_EVENTS",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "error marshaling events to bytes for topic {topic} pubsub {pubsub}. error: {reason}",
  ),
  unmarshalEvents: entry(
    "ERR_PUBSUB_EVENTS_SER",
    "UNMARSHAL_EVENTS",
    400,
    GRPC_STATUS.INVALID_ARGUMENT,
    "error when unmarshaling the request for topic {topic} pubsub {pubsub}: {reason}",
  ),
} as const;

function entry<M extends string>(
  code: string,
  reason: string,
  httpStatus: number,
  grpcStatus: ErrorEntry["grpcStatus"],
  message: M,
) {
  return {
    code,
    category: "pubsub",
    httpStatus,
    grpcStatus,
    message,
    reason: `DAPR_PUBSUB_${reason}`,
  } as const satisfies ErrorEntry<M>;
}
