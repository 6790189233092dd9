import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { TopicEventRequest, TopicEventResponse } from "../gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { ProtoReader } from "./proto-reader.ts";
import { ProtoWriter } from "./proto-writer.ts";

/** Bytes for everything but texts and data; a guess that leaves room for a few extensions. */
const OVERHEAD_BYTES = 256;
/** Lists and objects within each other in an event's extensions; the JSON parser before us allows more. */
const JSON_DEPTH_MAX = 100;

/** @throws Error for extensions that are nested too deeply or hold a number that JSON has not */
export function encodeTopicEventRequest(event: TopicEventRequest): Uint8Array {
  const { id, source, type, specVersion, dataContentType, topic, data, pubsubName, path, extensions } = event;
  const writer = new ProtoWriter(
    (id.length + source.length + type.length + specVersion.length + dataContentType.length) * 3 +
      (topic.length + pubsubName.length + path.length) * 3 +
      data.length +
      OVERHEAD_BYTES,
  );
  writer.text(1, id);
  writer.text(2, source);
  writer.text(3, type);
  writer.text(4, specVersion);
  writer.text(5, dataContentType);
  writer.text(6, topic);
  if (data.length > 0) writer.octets(7, data);
  writer.text(8, pubsubName);
  writer.text(9, path);
  if (extensions !== undefined) writeStruct(writer, 10, extensions, 0);
  return writer.finish();
}

export function decodeTopicEventResponse(bytes: Uint8Array): TopicEventResponse {
  const reader = new ProtoReader(bytes);
  let status = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) status = reader.int32();
    else reader.skip();
  }
  return { $typeName: "dapr.proto.runtime.v1.TopicEventResponse", status };
}

/** A `google.protobuf.Struct`. */
function writeStruct(writer: ProtoWriter, field: number, object: JsonObject, depth: number): void {
  if (depth > JSON_DEPTH_MAX) throw new Error(`extensions are nested more than ${JSON_DEPTH_MAX} levels deep`);
  const struct = writer.begin(field, 0);
  for (const name in object) {
    const value = object[name];
    if (value === undefined) continue;
    const entry = writer.begin(1, 0);
    writer.anyText(1, name);
    writeValue(writer, 2, value, depth);
    writer.end(entry);
  }
  writer.end(struct);
}

/** A `google.protobuf.Value`; its cases are written also when they are zero. */
function writeValue(writer: ProtoWriter, field: number, value: JsonValue, depth: number): void {
  const mark = writer.begin(field, 0);
  if (value === null) writer.zero(1);
  else if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new Error(`an extension is ${value}, which JSON has not`);
    writer.double(2, value);
  } else if (typeof value === "string") writer.anyText(3, value);
  else if (typeof value === "boolean") {
    if (value) writer.uint(4, 1);
    else writer.zero(4);
  } else if (Array.isArray(value)) {
    if (depth >= JSON_DEPTH_MAX) throw new Error(`extensions are nested more than ${JSON_DEPTH_MAX} levels deep`);
    const list = writer.begin(6, 0);
    for (const one of value) writeValue(writer, 1, one, depth + 1);
    writer.end(list);
  } else writeStruct(writer, 5, value, depth + 1);
  writer.end(mark);
}
