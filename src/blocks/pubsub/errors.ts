import { errorMessage } from "../../kit/error-message.ts";
import type { ApiError, ErrorEntry, FactNames } from "../../errors/error.ts";
import { apiError, ERROR_DOMAIN } from "../../errors/error.ts";
import { pubsubErrors } from "../../errors/catalogue/pubsub.ts";

type Metadata = Readonly<Record<string, string>>;

export function pubsubNameEmpty(metadata: Metadata): ApiError {
  return rich(pubsubErrors.nameEmpty, {}, "", metadata);
}

/** The one error of this group without ResourceInfo. */
export function pubsubNotFound(pubsub: string, metadata: Metadata): ApiError {
  return apiError(pubsubErrors.notFound, { pubsub }, { details: [errorInfo(pubsubErrors.notFound.reason, metadata)] });
}

export function topicEmpty(pubsub: string, metadata: Metadata): ApiError {
  return rich(pubsubErrors.topicEmpty, { pubsub }, pubsub, metadata);
}

export function invalidRequestMetadata(pubsub: string, metadata: Metadata, reason: string): ApiError {
  return rich(pubsubErrors.requestMetadata, { reason }, pubsub, metadata);
}

export function cloudEventCreation(pubsub: string, appId: string, reason: string): ApiError {
  return rich(pubsubErrors.cloudEventCreation, {}, pubsub, { appID: appId, error: reason });
}

export function marshalEnvelope(pubsub: string, topic: string, appId: string, reason: string): ApiError {
  return rich(pubsubErrors.marshalEnvelope, { topic, pubsub, reason }, pubsub, { appID: appId, error: reason });
}

export function marshalEvents(pubsub: string, topic: string, appId: string, reason: string): ApiError {
  return rich(pubsubErrors.marshalEvents, { topic, pubsub, reason }, pubsub, { appID: appId, error: reason });
}

export function unmarshalEvents(pubsub: string, topic: string, appId: string, reason: string): ApiError {
  return rich(pubsubErrors.unmarshalEvents, { topic, pubsub, reason }, pubsub, { appID: appId });
}

export function topicForbidden(pubsub: string, topic: string, appId: string): ApiError {
  return rich(pubsubErrors.forbidden, { topic, appId }, pubsub, {
    topic,
    error: `topic ${topic} is not allowed for app id ${appId}`,
  });
}

export function pubsubGone(pubsub: string, topic: string): ApiError {
  return rich(pubsubErrors.goneAtPublish, { pubsub }, pubsub, { topic, error: `pubsub '${pubsub}' not found` });
}

export function streamNeedsInitialRequest(): ApiError {
  return apiError(pubsubErrors.streamNeedsInitialRequest, {});
}

export function streamRepeatsInitialRequest(): ApiError {
  return apiError(pubsubErrors.streamRepeatsInitialRequest, {});
}

export function streamNamesNoPubsub(): ApiError {
  return apiError(pubsubErrors.streamNamesNoPubsub, {});
}

export function streamNamesNoTopic(): ApiError {
  return apiError(pubsubErrors.streamNamesNoTopic, {});
}

/** The broker, its scopes or a limit keep the stream from starting. */
export function streamRefused(pubsub: string, reason: string, cause?: unknown): ApiError {
  return apiError(pubsubErrors.streamRefused, { pubsub, reason }, { cause });
}

/** The sidecar ends a stream. */
export function streamClosed(): ApiError {
  return apiError(pubsubErrors.streamClosed, {});
}

/** The sidecar stops before the stream said what it is for. */
export function streamsClosed(): ApiError {
  return apiError(pubsubErrors.streamsClosed, {});
}

/** The broker refused the message. */
export function publishFailed(pubsub: string, topic: string, cause: unknown): ApiError {
  const reason = errorMessage(cause);
  return rich(pubsubErrors.publishMessage, { topic, pubsub, reason }, pubsub, { topic, error: reason }, cause);
}

function rich<M extends string>(
  entry: ErrorEntry<M>,
  facts: Readonly<Record<FactNames<M>, string | number>>,
  pubsub: string,
  metadata: Metadata,
  cause?: unknown,
): ApiError {
  const message = apiError(entry, facts).message;
  return apiError(entry, facts, {
    cause,
    details: [
      { kind: "ResourceInfo", resourceType: "pubsub", resourceName: pubsub, owner: "", description: message },
      errorInfo(entry.reason ?? "", metadata),
    ],
  });
}

function errorInfo(reason: string, metadata: Metadata) {
  const info = { kind: "ErrorInfo", reason, domain: ERROR_DOMAIN } as const;
  return Object.keys(metadata).length === 0 ? info : { ...info, metadata };
}
