import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { PublishRequest, PubSubMessage } from "../spi/pubsub.ts";
import type { RequestMetadata } from "../spi/request-metadata.ts";
import type { RedisArgument, RedisReply } from "./client.ts";
import { asBuffer, replyList, replyText } from "./replies.ts";

/** A message as a stream holds it. */
export interface StreamEntry {
  readonly id: string;
  readonly fields: readonly RedisReply[];
}

/** The fields of a published message: `data` as it is, `metadata` as a JSON object of strings. */
export function entryFields({ data, metadata }: PublishRequest): RedisArgument[] {
  return ["data", asBuffer(data), "metadata", JSON.stringify(metadata)];
}

/** Entries of a range or claim reply; places of deleted messages (before Redis 7) are left out. */
export function streamEntries(reply: RedisReply | undefined): StreamEntry[] {
  const entries: StreamEntry[] = [];
  for (const entry of replyList(reply)) {
    const [id, fields] = replyList(entry);
    const text = replyText(id);
    if (text !== undefined) {
      entries.push({ id: text, fields: replyList(fields) });
    }
  }
  return entries;
}

/** Metadata that cannot be read is logged and left out. */
export function entryMessage(topic: string, { id, fields }: StreamEntry, logger: Logger): PubSubMessage {
  let data: Uint8Array = new Uint8Array();
  let metadata: RequestMetadata = {};
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const value = fields[at + 1];
    switch (replyText(fields[at])) {
      case "data":
        data = Buffer.isBuffer(value) ? value : data;
        break;
      case "metadata":
        metadata = parseMetadata(id, replyText(value) ?? "", logger);
        break;
      default:
    }
  }
  return { topic, data, contentType: undefined, metadata };
}

function parseMetadata(id: string, text: string, logger: Logger): RequestMetadata {
  try {
    const parsed: unknown = JSON.parse(text);
    if (parsed === null) {
      return {};
    }
    if (typeof parsed === "object" && Object.values(parsed).every((value) => typeof value === "string")) {
      return parsed as RequestMetadata;
    }
    throw new TypeError("not an object of strings");
  } catch (error) {
    logger.warn(`Redis PubSub: Could not extract metadata for Redis message ${id}: ${errorMessage(error)}`);
    return {};
  }
}

/** The smallest id after `id`, `<milliseconds>-<sequence>`. */
export function nextEntryId(id: string): string {
  const [milliseconds = "0", sequence = "0"] = id.split("-");
  return `${milliseconds}-${BigInt(sequence) + 1n}`;
}
