import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { ProtoReader } from "./proto-reader.ts";
import { ProtoWriter } from "./proto-writer.ts";

/** Values within values that are read and written here. */
const DEPTH_MAX = 64;
/** Room for a value before its size is known. */
const CAPACITY_BYTES = 256;

// google.protobuf.Value: its field numbers, and the tags of its fields, of Struct's and ListValue's one field and of a map's.
const NULL = 1;
const NUMBER = 2;
const STRING = 3;
const BOOL = 4;
const STRUCT = 5;
const LIST = 6;
const NULL_TAG = 8;
const NUMBER_TAG = 17;
const STRING_TAG = 26;
const BOOL_TAG = 32;
const STRUCT_TAG = 42;
const LIST_TAG = 50;
const ITEM_TAG = 10;
const KEY_TAG = 10;
const VALUE_TAG = 18;

/** It may be right, and is left to the general codec. */
class UnusualError extends Error {}

/**
 * The JSON that the bytes of a `google.protobuf.Value` stand for.
 * @returns undefined for bytes that are broken, or not written as encoders write them: the general codec knows what they mean
 */
export function readJsonValue(bytes: Uint8Array): JsonValue | undefined {
  try {
    return read(new ProtoReader(bytes), 0);
  } catch {
    return undefined;
  }
}

/**
 * The bytes of the `google.protobuf.Value` that stands for some parsed JSON.
 * @returns undefined for what only the general codec knows about: numbers that are not finite, text that is not Unicode,
 * objects with a member `__proto__`, and values that are nested deeply
 */
export function writeJsonValue(value: JsonValue): Uint8Array | undefined {
  const writer = new ProtoWriter(CAPACITY_BYTES);
  try {
    write(writer, value, 0);
  } catch (error) {
    if (error instanceof UnusualError) {
      return undefined;
    }
    throw error;
  }
  return writer.finish();
}

function read(reader: ProtoReader, depth: number): JsonValue {
  const tag = reader.tag();
  const value = readKind(reader, tag, depth);
  if (!reader.isAtEnd) {
    throw new UnusualError("more than one kind");
  }
  return value;
}

function readKind(reader: ProtoReader, tag: number, depth: number): JsonValue {
  if (depth > DEPTH_MAX) {
    throw new UnusualError("nested deeply");
  }
  switch (tag) {
    case NULL_TAG:
      return reader.uint() === 0 ? null : unusual();
    case NUMBER_TAG: {
      const number = reader.double();
      return Number.isFinite(number) ? number : unusual();
    }
    case STRING_TAG:
      return reader.text();
    case BOOL_TAG:
      return reader.bool();
    case STRUCT_TAG:
      return readStruct(reader, depth);
    case LIST_TAG:
      return readList(reader, depth);
    default:
      return unusual();
  }
}

function readStruct(reader: ProtoReader, depth: number): JsonObject {
  const fields: JsonObject = {};
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    const struct = tag === ITEM_TAG ? reader.enter() : unusual();
    const key = reader.tag() === KEY_TAG ? reader.text() : unusual();
    const entry = reader.tag() === VALUE_TAG && key !== "__proto__" ? reader.enter() : unusual();
    fields[key] = read(reader, depth + 1);
    reader.leave(entry);
    if (!reader.isAtEnd) {
      unusual();
    }
    reader.leave(struct);
  }
  reader.leave(outer);
  return fields;
}

function readList(reader: ProtoReader, depth: number): JsonValue[] {
  const items: JsonValue[] = [];
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    const list = tag === ITEM_TAG ? reader.enter() : unusual();
    items.push(read(reader, depth + 1));
    reader.leave(list);
  }
  reader.leave(outer);
  return items;
}

function unusual(): never {
  throw new UnusualError("not as encoders write it");
}

function write(writer: ProtoWriter, value: JsonValue, depth: number): void {
  if (depth > DEPTH_MAX) {
    throw new UnusualError("nested deeply");
  }
  switch (typeof value) {
    case "string":
      writer.anyText(STRING, wellFormed(value));
      return;
    case "number":
      writer.double(NUMBER, Number.isFinite(value) ? value : unusual());
      return;
    case "boolean":
      if (value) {
        writer.uint(BOOL, 1);
      } else {
        writer.zero(BOOL);
      }
      return;
    default:
      if (value === null) {
        writer.zero(NULL);
      } else if (Array.isArray(value)) {
        writeList(writer, value, depth);
      } else {
        writeStruct(writer, value, depth);
      }
  }
}

function writeStruct(writer: ProtoWriter, fields: JsonObject, depth: number): void {
  const struct = writer.begin(STRUCT, 0);
  for (const key of Object.keys(fields)) {
    if (key === "__proto__") {
      unusual();
    }
    const entry = writer.begin(1, 0);
    writer.anyText(1, wellFormed(key));
    const value = writer.begin(2, 0);
    write(writer, fields[key] as JsonValue, depth + 1);
    writer.end(value);
    writer.end(entry);
  }
  writer.end(struct);
}

function writeList(writer: ProtoWriter, items: readonly JsonValue[], depth: number): void {
  const list = writer.begin(LIST, 0);
  for (const item of items) {
    const value = writer.begin(1, 0);
    write(writer, item, depth + 1);
    writer.end(value);
  }
  writer.end(list);
}

function wellFormed(text: string): string {
  return text.isWellFormed() ? text : unusual();
}
