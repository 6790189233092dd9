import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { isCloudEventContentType, isJsonContentType, isTextContentType } from "../kit/content-type.ts";
import { JsonScanner } from "../kit/json-scanner.ts";
import type { TopicEventRequest } from "../wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { TopicEventRequestSchema } from "../wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import type { TopicEvent } from "./types.ts";

/** The event cannot be put into the gRPC message; a channel lets it reject, which asks for redelivery. */
export class TopicEventDataError extends Error {
  override readonly name = "TopicEventDataError";
}

/** Attributes with a field of their own; the rest travels in `extensions`. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  "id",
  "source",
  "datacontenttype",
  "type",
  "specversion",
  "data",
  "data_base64",
]);

const NO_DATA: Uint8Array = new Uint8Array();

/**
 * The `OnTopicEvent` request for an event. JSON data is the text as it stands in the envelope, so numbers keep their
 * precision; data that is neither text, JSON nor base64 is left out, as Dapr does.
 * @throws TopicEventDataError when the data does not fit its content type
 */
export function topicEventRequest(event: TopicEvent): TopicEventRequest {
  const fields = event.fields;
  const dataContentType = text(fields, "datacontenttype");
  return create(TopicEventRequestSchema, {
    id: text(fields, "id"),
    source: text(fields, "source"),
    type: text(fields, "type"),
    specVersion: text(fields, "specversion"),
    dataContentType,
    topic: event.topic,
    data: dataOf(event, dataContentType),
    pubsubName: event.pubsubName,
    path: event.path,
    extensions: extensionsOf(fields),
  });
}

function dataOf(event: TopicEvent, contentType: string): Uint8Array {
  const encoded = event.fields["data_base64"];
  if (encoded !== undefined && encoded !== null) {
    return decodeBase64(encoded);
  }
  const data = event.fields["data"];
  if (data === undefined || data === null) {
    return NO_DATA;
  }
  if (data instanceof Uint8Array) {
    return data;
  }
  if (isTextContentType(contentType)) {
    if (typeof data !== "string") {
      throw dataError("unexpected data type encountered in envelope");
    }
    return Buffer.from(data);
  }
  if (isJsonContentType(contentType) || isCloudEventContentType(contentType)) {
    return dataText(event.envelope);
  }
  return NO_DATA;
}

/** The bytes of the envelope's `data`; the last of doubles counts, as for `JSON.parse`. */
function dataText(envelope: Uint8Array): Uint8Array {
  const scanner = new JsonScanner(envelope);
  let data = NO_DATA;
  if (scanner.kind() === "object" && scanner.openObject()) {
    do {
      if (scanner.memberName() === "data") {
        data = scanner.sliceValue();
      } else {
        scanner.skip();
      }
    } while (scanner.nextMember());
  }
  return data;
}

function decodeBase64(encoded: unknown): Uint8Array {
  if (typeof encoded !== "string") {
    throw dataError("unexpected data type encountered in envelope");
  }
  const decoded = Buffer.from(encoded, "base64");
  if (decoded.toString("base64") !== encoded.replace(/[\r\n]/g, "")) {
    throw dataError("illegal base64 data");
  }
  return decoded;
}

function extensionsOf(fields: Readonly<Record<string, unknown>>): JsonObject {
  const extensions: JsonObject = {};
  for (const name in fields) {
    if (!OWN_FIELDS.has(name)) {
      extensions[name] = fields[name] as JsonValue;
    }
  }
  return extensions;
}

function text(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}

function dataError(reason: string): TopicEventDataError {
  return new TopicEventDataError(
    `error returned from app while processing pub/sub event: retriable error occurred: ${reason}`,
  );
}
