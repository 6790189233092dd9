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
  publishOutbox: entry(
    "ERR_PUBLISH_OUTBOX",
    "OUTBOX",
    500,
    GRPC_STATUS.INTERNAL,
    "error while publishing outbox message: {reason}",
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
  streamNeedsInitialRequest: stream("STREAM_INITIAL_REQUEST", "initial request is required"),
  streamRepeatsInitialRequest: stream("STREAM_INITIAL_REQUEST", "duplicate initial request received"),
  streamNamesNoPubsub: stream("STREAM_PUBSUB_NAME", "pubsubName is required"),
  streamNamesNoTopic: stream("STREAM_TOPIC", "topic is required"),
  streamRefused: stream("STREAM_REFUSED", "failed to create subscription for {pubsub}: {reason}"),
  streamClosed: stream("STREAM_CLOSED", "stream closed"),
  streamsClosed: stream("STREAM_CLOSED", "api server closed"),
} as const;

/** Errors of `SubscribeTopicEventsAlpha1`, which Dapr answers with bare texts and status Unknown; the codes are ours. */
function stream<M extends string>(code: string, message: M) {
  return {
    code: `ERR_PUBSUB_${code}`,
    category: "pubsub",
    httpStatus: 500,
    grpcStatus: GRPC_STATUS.UNKNOWN,
    message,
  } as const satisfies ErrorEntry<M>;
}

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
