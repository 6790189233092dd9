import type { PubSubMessage } from "../../components/spi/pubsub.ts";
import type { RequestMetadata } from "../../components/spi/request-metadata.ts";
import { isBinaryContentType } from "../../kit/content-type.ts";
import { rawEnvelope } from "./envelope.ts";
import type { EventFields } from "./routing.ts";

/** Where brokers put a message's content type among its metadata. */
const CONTENT_TYPE_KEY = "content-type";
const CONTENT_TYPE_DEFAULT = "application/json";
/** Prefix of a binary-mode CloudEvent's attributes among the message's metadata (CloudEvents, Kafka binding). */
const BINARY_MODE_PREFIX = "ce_";

/** What a broker's message says: the attributes, and the bytes an app is sent. */
export interface IncomingEvent {
  readonly fields: EventFields;
  readonly envelope: Uint8Array;
}

/** What the reader must know of the subscription. */
export interface IncomingContext {
  readonly topic: string;
  readonly pubsub: string;
  readonly raw: boolean;
  /** A fresh id, for events made of bare bytes. */
  readonly newId: () => string;
}

/**
 * Reads a message: bare bytes become a new event, binary-mode CloudEvents are put together from the metadata, anything
 * else must be a CloudEvent in JSON. Trace attributes fall back to the message's metadata.
 * @throws SyntaxError for what is no JSON object
 */
export function readIncomingEvent(
  message: PubSubMessage,
  metadata: RequestMetadata,
  context: IncomingContext,
): IncomingEvent {
  if (context.raw) {
    const fields = rawEnvelope(
      message.data,
      { id: context.newId(), topic: context.topic, pubsub: context.pubsub },
      rawTrace(metadata),
    );
    return { fields, envelope: Buffer.from(JSON.stringify(fields)) };
  }
  const contentType = metadata[CONTENT_TYPE_KEY] ?? CONTENT_TYPE_DEFAULT;
  if (isBinaryContentType(contentType)) {
    return { fields: binaryModeFields(message.data, metadata, contentType), envelope: message.data };
  }
  return { fields: withTraceFallback(parseObject(message.data), metadata), envelope: message.data };
}

/** The message's metadata as the app and dead letters see it. */
export function messageMetadata(message: PubSubMessage, pubsub: string): RequestMetadata {
  return message.contentType === undefined
    ? { ...message.metadata, pubsubName: pubsub }
    : { ...message.metadata, [CONTENT_TYPE_KEY]: message.contentType, pubsubName: pubsub };
}

function parseObject(data: Uint8Array): Record<string, unknown> {
  const parsed: unknown = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString());
  if (parsed === null) {
    return {};
  }
  if (typeof parsed !== "object" || Array.isArray(parsed)) {
    const kind = Array.isArray(parsed) ? "array" : typeof parsed === "boolean" ? "bool" : typeof parsed;
    throw new SyntaxError(`json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`);
  }
  return parsed as Record<string, unknown>;
}

function withTraceFallback(fields: Record<string, unknown>, metadata: RequestMetadata): EventFields {
  if (fields["traceid"] === undefined && metadata["traceid"] !== undefined) {
    fields["traceid"] = metadata["traceid"];
  }
  if (fields["traceparent"] === undefined && metadata["traceparent"] !== undefined) {
    fields["traceparent"] = metadata["traceparent"];
    fields["traceid"] = metadata["traceparent"];
  }
  if (fields["tracestate"] === undefined && metadata["tracestate"] !== undefined) {
    fields["tracestate"] = metadata["tracestate"];
  }
  return fields;
}

function rawTrace(metadata: RequestMetadata): { traceid?: string; traceparent?: string; tracestate?: string } {
  const { traceid, traceparent, tracestate } = metadata;
  const id = traceparent ?? traceid;
  return {
    ...(id === undefined ? {} : { traceid: id }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(tracestate === undefined ? {} : { tracestate }),
  };
}

function binaryModeFields(data: Uint8Array, metadata: RequestMetadata, contentType: string): EventFields {
  const fields: Record<string, unknown> = {};
  for (const name in metadata) {
    const lower = name.toLowerCase();
    if (lower.startsWith(BINARY_MODE_PREFIX)) {
      fields[lower.slice(BINARY_MODE_PREFIX.length)] = metadata[name];
    }
  }
  fields["data"] = data;
  fields["datacontenttype"] = contentType;
  return fields;
}
