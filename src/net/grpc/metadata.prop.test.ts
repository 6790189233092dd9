import fc from "fast-check";
import { expect, test } from "vitest";
import {
  appendMetadata,
  decodeBinary,
  encodeBinary,
  HeaderMetadata,
  isReservedHeader,
  metadataOf,
} from "./metadata.ts";

const name = fc.stringMatching(/^[a-z0-9_.-]{1,12}$/).filter((one) => !isReservedHeader(one) && !one.endsWith("-bin"));
const ascii = fc.stringMatching(/^[\x20-\x7e]{0,20}$/);
const entry = fc.oneof(
  fc.tuple(name, ascii),
  fc.tuple(
    name.map((one) => `${one}-bin`),
    fc.uint8Array({ maxLength: 30 }),
  ),
);

test("bytes survive base64 with and without padding", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = encodeBinary(bytes);
      expect(text).not.toContain("=");
      expect(decodeBinary(text)).toEqual(new Uint8Array(bytes));
      expect(decodeBinary(Buffer.from(bytes).toString("base64"))).toEqual(new Uint8Array(bytes));
    }),
  );
});

test("what is appended arrives in order on the other side", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 10 }), (entries) => {
      const sent = new HeaderMetadata();
      for (const [key, value] of entries) sent.append(key, value);
      const wire: string[] = ["content-type", "application/grpc", "grpc-timeout", "1S"];
      appendMetadata(sent, wire);
      const got = [...new HeaderMetadata(wire).entries()];
      expect(got.map(([key, value]) => [key, typeof value === "string" ? value : [...value]])).toEqual(
        entries.map(([key, value]) => [key, typeof value === "string" ? value : [...value]]),
      );
    }),
  );
});

test("a flat list has the same entries, bytes as padded base64, and can be added elsewhere", () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 10 }), fc.boolean(), (entries, received) => {
      const made = new HeaderMetadata();
      for (const [key, value] of entries) made.append(key, value);
      const metadata = received ? new HeaderMetadata(["te", "trailers", ...made.raw]) : made;
      const list = metadata.toList();
      expect(list).toEqual(
        entries.flatMap(([key, value]) => [
          key,
          typeof value === "string" ? value : Buffer.from(value).toString("base64"),
        ]),
      );
      const other = metadataOf({ a: "b" });
      other.appendList(list);
      expect(other.raw).toEqual(["a", "b", ...made.raw]);
    }),
  );
});

test("set, append and delete keep the other keys", () => {
  fc.assert(
    fc.property(name, ascii, ascii, (key, one, two) => {
      const received = new HeaderMetadata(["other", "x", key, one, key, two]);
      fc.pre(key !== "other");
      expect(received.getAll(key)).toEqual([one, two]);
      received.set(key.toUpperCase(), two);
      expect(received.getAll(key)).toEqual([two]);
      received.delete(key);
      expect(received.get(key)).toBeUndefined();
      expect(received.get("OTHER")).toBe("x");
    }),
  );
});

test("changing received metadata leaves the received list alone", () => {
  const list = ["a", "1", "grpc-encoding", "gzip"];
  const metadata = new HeaderMetadata(list);
  metadata.append("b", "2");
  expect(list).toHaveLength(4);
  const wire: string[] = [];
  metadata.appendTo(wire);
  expect(wire).toEqual(["a", "1", "b", "2"]);
});

test("reserved names are hidden and refused, grpc-trace-bin is metadata", () => {
  const metadata = new HeaderMetadata([
    "content-type",
    "application/grpc",
    "te",
    "trailers",
    "grpc-trace-bin",
    "AAE",
    "user-agent",
    "x",
  ]);
  expect([...metadata.entries()].map(([key]) => key)).toEqual(["grpc-trace-bin", "user-agent"]);
  expect(metadata.get("content-type")).toBeUndefined();
  expect(metadata.getBinary("grpc-trace-bin")).toEqual(new Uint8Array([0, 1]));
  expect(() => metadataOf({ "grpc-status": "0" })).toThrow("reserved");
  expect(() => metadataOf({ ":path": "/" })).toThrow("cannot be a metadata key");
  expect(() => metadataOf({ a: "line\nbreak" })).toThrow("printable ASCII");
  expect(() => metadataOf({ a: new Uint8Array(1) })).toThrow("-bin");
});

test("binary values joined by commas are several", () => {
  const metadata = new HeaderMetadata(["k-bin", "AQ,Ag==", "k-bin", "Aw"]);
  expect(metadata.getAll("k-bin")).toEqual([new Uint8Array([1]), new Uint8Array([2]), new Uint8Array([3])]);
  expect(metadata.getBinary("k-bin")).toEqual(new Uint8Array([1]));
});
