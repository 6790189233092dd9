import { InvalidDurationError, parseGoDuration } from "../../kit/duration.ts";
import { parseRfc3339 } from "../../kit/rfc3339.ts";
import type { Row, SqlValue } from "../../storage/engine.ts";
import { ComponentError } from "../spi/errors.ts";
import type { PublishRequest, PubSubMessage } from "../spi/pubsub.ts";
import type { RequestMetadata } from "../spi/request-metadata.ts";

/** Bytes of one message's data. */
const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;
/** Characters of a topic's name. */
const TOPIC_CHARS_MAX = 1_024;
/** Names of one message's metadata, and characters of them all with their values. */
const METADATA_CHARS_MAX = 64 * 1024;
/** The latest time that can be asked for, in milliseconds since the epoch: the end of the year 9999. */
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59);

const DELIVER_AT = "deliverat";
const DELAY = "delayinseconds";

/** @throws ComponentError `invalidRequest` for a name that no topic can have */
export function checkTopic(topic: string): void {
  if (topic.length === 0 || topic.length > TOPIC_CHARS_MAX) {
    throw invalid(`a topic's name has from 1 to ${TOPIC_CHARS_MAX} characters, this one has ${topic.length}`);
  }
}

/**
 * The parameters of the statement `publish`. The wishes about time stay behind: a message that is forwarded does not wait
 * again.
 * @throws ComponentError `invalidRequest` for a message over the limits, or a time that is none
 */
export function publishParams(request: PublishRequest, nowMs: number, messagesMax: number): readonly SqlValue[] {
  const { topic, data } = request;
  checkTopic(topic);
  if (data.byteLength > MESSAGE_BYTES_MAX) {
    throw invalid(`a message has at most ${MESSAGE_BYTES_MAX} bytes, this one has ${data.byteLength}`);
  }
  let metadata: Record<string, string> | undefined;
  let deliverMs: number | null = null;
  let ttl = "";
  for (const name in request.metadata) {
    const value = request.metadata[name] ?? "";
    switch (name.toLowerCase()) {
      case DELIVER_AT:
        deliverMs = value === "" ? deliverMs : deliverAtMs(value);
        continue;
      case DELAY:
        deliverMs = value === "" ? deliverMs : nowMs + delayMs(value);
        continue;
      case "ttl":
        ttl = value || ttl;
        break;
      case "ttlinseconds":
        ttl ||= value;
    }
    metadata ??= Object.create(null) as Record<string, string>;
    metadata[name] = value;
  }
  const text = metadata === undefined ? null : JSON.stringify(metadata);
  if (text !== null && text.length > METADATA_CHARS_MAX) {
    throw invalid(`a message's metadata has at most ${METADATA_CHARS_MAX} characters, this one's has ${text.length}`);
  }
  const expiresMs = ttl === "" ? null : Math.min(nowMs + ttlMs(ttl), LATEST_MS);
  const due = deliverMs === null || deliverMs <= nowMs ? null : Math.min(deliverMs, LATEST_MS);
  return [topic, data, request.contentType ?? null, text, nowMs, due, expiresMs, messagesMax];
}

/** A stored row (of the statement `message`) as handlers get it. */
export function messageOf(topic: string, row: Row): PubSubMessage {
  const [data, contentType, metadata] = row;
  return {
    topic,
    data: data instanceof Uint8Array ? data : new Uint8Array(),
    contentType: typeof contentType === "string" ? contentType : undefined,
    metadata: typeof metadata === "string" ? (JSON.parse(metadata) as RequestMetadata) : NO_METADATA,
  };
}

const NO_METADATA: RequestMetadata = Object.freeze({});

function deliverAtMs(text: string): number {
  const ms = parseRfc3339(text);
  if (ms === undefined) {
    throw invalid(`deliverAt must be a time such as 2026-01-02T03:04:05Z: actual is '${text}'`);
  }
  return ms;
}

/** Whole or broken seconds. */
function delayMs(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(seconds)) {
    throw invalid(`delayInSeconds must be a number that is not negative: actual is '${text}'`);
  }
  return Math.ceil(Math.min(seconds * 1_000, LATEST_MS));
}

/** A Go duration, or whole seconds above zero; the texts are those of Dapr's components. */
function ttlMs(text: string): number {
  if (/^[+-]?\d+$/.test(text) && Number(text) !== 0) {
    if (Number(text) < 0) {
      throw invalid(`ttl value must be higher than zero: actual is '${text}'`);
    }
    return Math.min(Number(text) * 1_000, LATEST_MS);
  }
  try {
    return Math.max(0, Math.ceil(parseGoDuration(text)));
  } catch (error) {
    if (error instanceof InvalidDurationError) {
      throw invalid(`ttl value must be a valid integer: actual is '${text}'`);
    }
    throw error;
  }
}

function invalid(message: string): ComponentError {
  return new ComponentError("invalidRequest", message);
}
