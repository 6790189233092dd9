import fc from "fast-check";
import { expect, test } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { entryFields, entryMessage } from "./stream-entry.ts";

const metadatas = fc.dictionary(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), {
  noNullPrototype: true,
});

test("a message is read from its fields as it was published", () => {
  fc.assert(
    fc.property(fc.uint8Array(), metadatas, (data, metadata) => {
      const fields = entryFields({ topic: "t", data, contentType: undefined, metadata }).map((field) =>
        typeof field === "string" ? Buffer.from(field) : field,
      );
      const message = entryMessage("t", { id: "1-0", fields }, silentLogger);
      expect(Buffer.from(message.data).equals(data)).toBe(true);
      expect(Object.entries(message.metadata)).toEqual(Object.entries(metadata));
    }),
  );
});

test("whatever stands in a stream is read without an exception", () => {
  const replies = fc.oneof(
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.constant(null),
    fc.integer(),
  );
  const names = fc.constantFrom(Buffer.from("data"), Buffer.from("metadata"));
  fc.assert(
    fc.property(fc.array(fc.oneof(replies, names)), (fields) => {
      const message = entryMessage("t", { id: "1-0", fields }, silentLogger);
      expect(Object.values(message.metadata).every((value) => typeof value === "string")).toBe(true);
    }),
  );
});
