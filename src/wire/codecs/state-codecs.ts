import type { Etag, StateItem, StateOptions } from "../gen/dapr/proto/common/v1/common_pb.js";
import type { GetStateRequest, GetStateResponse, SaveStateRequest } from "../gen/dapr/proto/runtime/v1/state_pb.js";
import { ProtoReader } from "./proto-reader.ts";
import { ProtoWriter } from "./proto-writer.ts";
import { entriesGuess, readEntry, writeEntries } from "./string-map.ts";

const NO_BYTES = new Uint8Array(0);
/** Bytes of all tags and lengths in a response, metadata apart. */
const RESPONSE_OVERHEAD_BYTES = 32;

export function decodeGetStateRequest(bytes: Uint8Array): GetStateRequest {
  const reader = new ProtoReader(bytes);
  const metadata: Record<string, string> = {};
  let storeName = "";
  let key = "";
  let consistency = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x0a:
        storeName = reader.text();
        break;
      case 0x12:
        key = reader.text();
        break;
      case 0x18:
        consistency = reader.int32();
        break;
      case 0x22:
        readEntry(reader, metadata);
        break;
      default:
        reader.skip();
    }
  }
  return { $typeName: "dapr.proto.runtime.v1.GetStateRequest", storeName, key, consistency, metadata };
}

export function encodeGetStateResponse({ data, etag, metadata }: GetStateResponse): Uint8Array {
  const writer = new ProtoWriter(data.length + etag.length * 3 + entriesGuess(metadata) + RESPONSE_OVERHEAD_BYTES);
  if (data.length > 0) writer.octets(1, data);
  writer.text(2, etag);
  writeEntries(writer, 3, metadata);
  return writer.finish();
}

export function decodeSaveStateRequest(bytes: Uint8Array): SaveStateRequest {
  const reader = new ProtoReader(bytes);
  const states: StateItem[] = [];
  let storeName = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) storeName = reader.text();
    else if (tag === 0x12) states.push(readStateItem(reader));
    else reader.skip();
  }
  return { $typeName: "dapr.proto.runtime.v1.SaveStateRequest", storeName, states };
}

function readStateItem(reader: ProtoReader): StateItem {
  const metadata: Record<string, string> = {};
  let key = "";
  let value: Uint8Array = NO_BYTES;
  let etag: Etag | undefined;
  let options: StateOptions | undefined;
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x0a:
        key = reader.text();
        break;
      case 0x12:
        value = reader.octets();
        break;
      case 0x1a:
        etag = readEtag(reader, etag);
        break;
      case 0x22:
        readEntry(reader, metadata);
        break;
      case 0x2a:
        options = readOptions(reader, options);
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outer);
  const item: StateItem = { $typeName: "dapr.proto.common.v1.StateItem", key, value, metadata };
  if (etag !== undefined) item.etag = etag;
  if (options !== undefined) item.options = options;
  return item;
}

/** A message field that comes twice is merged (as all protobuf decoders do). */
function readEtag(reader: ProtoReader, before: Etag | undefined): Etag {
  let value = before?.value ?? "";
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) value = reader.text();
    else reader.skip();
  }
  reader.leave(outer);
  return { $typeName: "dapr.proto.common.v1.Etag", value };
}

function readOptions(reader: ProtoReader, before: StateOptions | undefined): StateOptions {
  let concurrency: number = before?.concurrency ?? 0;
  let consistency: number = before?.consistency ?? 0;
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) concurrency = reader.int32();
    else if (tag === 0x10) consistency = reader.int32();
    else reader.skip();
  }
  reader.leave(outer);
  return { $typeName: "dapr.proto.common.v1.StateOptions", concurrency, consistency };
}
