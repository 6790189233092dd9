import type { TopicBulk, TopicBulkEntry } from "./types.ts";

/** `type` of every bulk. */
export const BULK_EVENT_TYPE = "com.dapr.event.sent.bulk";

/** What an HTTP app is sent for a bulk. CloudEvents go in as the text that the broker gave, other bytes as base64. */
export function bulkEnvelope(bulk: TopicBulk): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from('{"entries":[')];
  for (const [index, entry] of bulk.entries.entries()) {
    const head = `${index === 0 ? "" : ","}{"entryId":${JSON.stringify(entry.entryId)},"event":`;
    const { metadata, contentType } = entry;
    const tail = JSON.stringify({ metadata, ...(contentType !== "" && { contentType }) }).slice(1);
    parts.push(Buffer.from(head), eventOf(entry), Buffer.from(`,${tail}`));
  }
  const { id, pubsubName, topic } = bulk;
  const rest = { id, metadata: { pubsubName }, pubsubname: pubsubName, topic, type: BULK_EVENT_TYPE };
  parts.push(Buffer.from(`],${JSON.stringify(rest).slice(1)}`));
  return Buffer.concat(parts);
}

/** The bytes of an entry that is no CloudEvent in JSON; undefined for one that is. */
export function bareBytesOf({ event }: TopicBulkEntry): Uint8Array | undefined {
  if (event.rawPayload) {
    const encoded = event.fields["data_base64"];
    return Buffer.from(typeof encoded === "string" ? encoded : "", "base64");
  }
  const data = event.fields["data"];
  return data instanceof Uint8Array ? data : undefined;
}

function eventOf(entry: TopicBulkEntry): Uint8Array {
  const bytes = bareBytesOf(entry);
  return bytes === undefined
    ? entry.event.envelope
    : Buffer.from(JSON.stringify(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64")));
}
