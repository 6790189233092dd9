import { expect, test } from "vitest";
import { bulkEnvelope } from "./topic-bulk-envelope.ts";
import type { TopicBulk, TopicBulkEntry, TopicEvent } from "./types.ts";

function entry(entryId: string, event: Partial<TopicEvent>, rest: Partial<TopicBulkEntry> = {}): TopicBulkEntry {
  const envelope = Buffer.from(`{"id":"1","data":1234567890123456789}`);
  return {
    entryId,
    event: {
      pubsubName: "broker",
      topic: "orders",
      path: "/orders",
      envelope,
      fields: { id: "1", data: 1 },
      rawPayload: false,
      metadata: {},
      ...event,
    },
    contentType: "application/cloudevents+json",
    metadata: {},
    ...rest,
  };
}

const textOf = (...entries: readonly TopicBulkEntry[]): string => {
  const bulk: TopicBulk = { id: "bulk-1", pubsubName: "broker", topic: `a"b`, path: "/orders", entries };
  return Buffer.from(bulkEnvelope(bulk)).toString();
};

test("holds CloudEvents as they came, byte for byte", () => {
  expect(textOf(entry("a", {}), entry("b", {}, { metadata: { key: "v" } }))).toBe(
    `{"entries":[` +
      `{"entryId":"a","event":{"id":"1","data":1234567890123456789},"metadata":{},"contentType":"application/cloudevents+json"},` +
      `{"entryId":"b","event":{"id":"1","data":1234567890123456789},"metadata":{"key":"v"},"contentType":"application/cloudevents+json"}` +
      `],"id":"bulk-1","metadata":{"pubsubName":"broker"},"pubsubname":"broker","topic":"a\\"b","type":"com.dapr.event.sent.bulk"}`,
  );
});

test("holds bare bytes as base64", () => {
  const raw = entry(
    "a",
    { rawPayload: true, fields: { data_base64: "Ynl0ZXM=" } },
    { contentType: "application/octet-stream" },
  );
  const binary = entry("b", { fields: { data: Buffer.from("more") } }, { contentType: "image/png" });
  const { entries } = JSON.parse(textOf(raw, binary)) as { entries: unknown };
  expect(entries).toEqual([
    { entryId: "a", event: "Ynl0ZXM=", metadata: {}, contentType: "application/octet-stream" },
    { entryId: "b", event: "bW9yZQ==", metadata: {}, contentType: "image/png" },
  ]);
});
