import type { PublishEventRequest } from "../gen/dapr/proto/runtime/v1/pubsub_pb.js";
import { ProtoReader } from "./proto-reader.ts";
import { readEntry } from "./string-map.ts";

const NO_BYTES = new Uint8Array(0);

export function decodePublishEventRequest(bytes: Uint8Array): PublishEventRequest {
  const reader = new ProtoReader(bytes);
  const metadata: Record<string, string> = {};
  let pubsubName = "";
  let topic = "";
  let data: Uint8Array = NO_BYTES;
  let dataContentType = "";
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x0a:
        pubsubName = reader.text();
        break;
      case 0x12:
        topic = reader.text();
        break;
      case 0x1a:
        data = reader.octets();
        break;
      case 0x22:
        dataContentType = reader.text();
        break;
      case 0x2a:
        readEntry(reader, metadata);
        break;
      default:
        reader.skip();
    }
  }
  return {
    $typeName: "dapr.proto.runtime.v1.PublishEventRequest",
    pubsubName,
    topic,
    data,
    dataContentType,
    metadata,
  };
}
