import { describe, expect, it } from "vitest";
import type { Logger } from "../../kit/logger.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { entryFields, entryMessage, nextEntryId, streamEntries } from "./stream-entry.ts";

const bytes = (text: string): Buffer => Buffer.from(text);

function messageOf(...fields: readonly (Buffer | null)[]) {
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
  const { data, metadata } = entryMessage("t", { id: "1-0", fields }, logger);
  return { data: Buffer.from(data).toString(), metadata, warnings };
}

describe("a message's fields", () => {
  it("are read as they were written", () => {
    const fields = entryFields({ topic: "t", data: bytes("héllo"), contentType: undefined, metadata: { k: "<v>" } });
    const [, data, , metadata] = fields as Buffer[];
    expect(messageOf(bytes("data"), data ?? null, bytes("metadata"), bytes(String(metadata)))).toEqual({
      data: "héllo",
      metadata: { k: "<v>" },
      warnings: [],
    });
  });

  it("may come in any order, with others, without metadata or data", () => {
    expect(messageOf(bytes("metadata"), bytes('{"a":"b"}'), bytes("x"), bytes("y"), bytes("data"), bytes("1"))).toEqual(
      {
        data: "1",
        metadata: { a: "b" },
        warnings: [],
      },
    );
    expect(messageOf(bytes("metadata"), bytes("null"))).toEqual({ data: "", metadata: {}, warnings: [] });
    expect(messageOf(bytes("data"))).toEqual({ data: "", metadata: {}, warnings: [] });
  });

  it.each(["{", "[1]", '{"a":1}', '"a"'])("with metadata %s keep their data and are complained about", (metadata) => {
    const message = messageOf(bytes("data"), bytes("1"), bytes("metadata"), bytes(metadata));
    expect(message).toMatchObject({ data: "1", metadata: {} });
    expect(message.warnings).toEqual([
      expect.stringContaining("Redis PubSub: Could not extract metadata for Redis message 1-0: "),
    ]);
  });
});

it("places of trimmed messages are left out of claimed entries", () => {
  const reply = [[bytes("1-0"), [bytes("data"), bytes("a")]], null];
  expect(streamEntries(reply)).toEqual([{ id: "1-0", fields: [bytes("data"), bytes("a")] }]);
  expect(streamEntries(null)).toEqual([]);
});

it.each([
  ["5-0", "5-1"],
  ["5-9", "5-10"],
  ["1795319891080-9007199254740993", "1795319891080-9007199254740994"],
])("after %s comes %s", (id, next) => {
  expect(nextEntryId(id)).toBe(next);
});
