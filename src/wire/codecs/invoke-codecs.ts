import type { Any } from "@bufbuild/protobuf/wkt";
import type { HTTPExtension, InvokeRequest, InvokeResponse } from "../gen/dapr/proto/common/v1/common_pb.js";
import type { InvokeServiceRequest } from "../gen/dapr/proto/runtime/v1/invoke_pb.js";
import { anyGuess, readAny, writeAny } from "./any-codec.ts";
import { ProtoReader } from "./proto-reader.ts";
import { ProtoWriter } from "./proto-writer.ts";

/** Bytes of all tags and lengths in a request or response. */
const OVERHEAD_BYTES = 64;

export function decodeInvokeServiceRequest(bytes: Uint8Array): InvokeServiceRequest {
  const reader = new ProtoReader(bytes);
  let id = "";
  let message: InvokeRequest | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) id = reader.text();
    else if (tag === 0x1a) message = readInvokeRequest(reader, message);
    else reader.skip();
  }
  const $typeName = "dapr.proto.runtime.v1.InvokeServiceRequest";
  return message === undefined ? { $typeName, id } : { $typeName, id, message };
}

export function encodeInvokeRequest({ method, data, contentType, httpExtension }: InvokeRequest): Uint8Array {
  const texts = method.length + contentType.length + (httpExtension?.querystring.length ?? 0);
  const writer = new ProtoWriter(texts * 3 + anyGuess(data) + OVERHEAD_BYTES);
  writer.text(1, method);
  if (data !== undefined) writeAny(writer, 2, data);
  writer.text(3, contentType);
  if (httpExtension !== undefined) {
    const mark = writer.begin(4, httpExtension.querystring.length);
    writer.int32(1, httpExtension.verb);
    writer.text(2, httpExtension.querystring);
    writer.end(mark);
  }
  return writer.finish();
}

export function encodeInvokeResponse({ data, contentType }: InvokeResponse): Uint8Array {
  const writer = new ProtoWriter(contentType.length * 3 + anyGuess(data) + OVERHEAD_BYTES);
  if (data !== undefined) writeAny(writer, 1, data);
  writer.text(2, contentType);
  return writer.finish();
}

export function decodeInvokeResponse(bytes: Uint8Array): InvokeResponse {
  const reader = new ProtoReader(bytes);
  let data: Any | undefined;
  let contentType = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) data = readAny(reader, data);
    else if (tag === 0x12) contentType = reader.text();
    else reader.skip();
  }
  const $typeName = "dapr.proto.common.v1.InvokeResponse";
  return data === undefined ? { $typeName, contentType } : { $typeName, data, contentType };
}

/** A message field that comes twice is merged, as all protobuf decoders do. */
function readInvokeRequest(reader: ProtoReader, before: InvokeRequest | undefined): InvokeRequest {
  const message: InvokeRequest = before ?? {
    $typeName: "dapr.proto.common.v1.InvokeRequest",
    method: "",
    contentType: "",
  };
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x0a:
        message.method = reader.text();
        break;
      case 0x12:
        message.data = readAny(reader, message.data);
        break;
      case 0x1a:
        message.contentType = reader.text();
        break;
      case 0x22:
        message.httpExtension = readExtension(reader, message.httpExtension);
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outer);
  return message;
}

function readExtension(reader: ProtoReader, before: HTTPExtension | undefined): HTTPExtension {
  let verb: number = before?.verb ?? 0;
  let querystring = before?.querystring ?? "";
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) verb = reader.int32();
    else if (tag === 0x12) querystring = reader.text();
    else reader.skip();
  }
  reader.leave(outer);
  return { $typeName: "dapr.proto.common.v1.HTTPExtension", verb, querystring };
}
