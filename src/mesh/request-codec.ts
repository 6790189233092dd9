import type { ActorRef } from "../app/actor-host.ts";
import { headerValue } from "../app/header-rules.ts";
import { readData, writeData } from "./data-codec.ts";
import { HeadCodec } from "./head-codec.ts";
import { headerMapGuess, readHeaderEntry, writeHeaderMap, writeRequestMap } from "./header-map.ts";
import type { RequestHead } from "./messages.ts";
import type { ProtoReader } from "../wire/codecs/proto-reader.ts";
import type { ProtoWriter } from "../wire/codecs/proto-writer.ts";

/**
 * The requests of `dapr.proto.internals.v1.ServiceInvocation` straight from and to a call, because the generated code would
 * build a map and an object per header on the hottest path there is. The numbers are the definition's.
 */
const VERSION = 1;
const METADATA = 2;
const MESSAGE = 3;
const ACTOR = 4;
const ACTOR_TYPE = 1;
const ACTOR_ID = 2;
const METHOD = 1;
const DATA = 2;
const CONTENT_TYPE = 3;
const HTTP_EXTENSION = 4;
const VERB = 1;
const QUERY = 2;

/** What is read, as whole tags: the number, three bits up, and the wire type. */
const TAG = {
  metadata: (METADATA << 3) | 2,
  message: (MESSAGE << 3) | 2,
  actor: (ACTOR << 3) | 2,
  actorType: (ACTOR_TYPE << 3) | 2,
  actorId: (ACTOR_ID << 3) | 2,
  method: (METHOD << 3) | 2,
  data: (DATA << 3) | 2,
  contentType: (CONTENT_TYPE << 3) | 2,
  httpExtension: (HTTP_EXTENSION << 3) | 2,
  verb: VERB << 3,
  query: (QUERY << 3) | 2,
} as const;

const VERSION_V1 = 1;

/** By number; what is not here travels as POST, as with daprd. */
const VERBS: readonly string[] = [
  "NONE",
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
];
const POST = 3;

/** Bytes for everything but headers, texts and body; a guess. */
const FIXED_BYTES = 320;

function guess(head: RequestHead): number {
  return (
    FIXED_BYTES + headerMapGuess(head.headers) + head.method.length + head.query.length + (head.data?.byteLength ?? 0)
  );
}

function writeRequest(writer: ProtoWriter, head: RequestHead): void {
  writer.uint(VERSION, VERSION_V1);
  const fromHttp = head.origin === "http";
  if (head.stamps === undefined) {
    writeHeaderMap(writer, METADATA, head.headers, fromHttp);
  } else {
    writeRequestMap(writer, METADATA, head.headers, fromHttp, head.stamps);
  }
  const message = writer.begin(MESSAGE, 128);
  writer.text(METHOD, head.method);
  writeData(writer, DATA, head);
  if (head.contentType !== "") {
    writer.rawText(CONTENT_TYPE, head.contentType);
  }
  if (head.verb !== "") {
    const extension = writer.begin(HTTP_EXTENSION, head.query.length);
    const number = VERBS.indexOf(head.verb);
    writer.uint(VERB, number === -1 ? POST : number);
    if (head.query !== "") {
      writer.rawText(QUERY, head.query);
    }
    writer.end(extension);
  }
  writer.end(message);
  if (head.actor !== undefined) {
    const actor = writer.begin(ACTOR, 0);
    writer.text(ACTOR_TYPE, head.actor.type);
    writer.text(ACTOR_ID, head.actor.id);
    writer.end(actor);
  }
}

function readRequest(reader: ProtoReader): RequestHead {
  const headers: string[] = [];
  let hasMetadata = false;
  let message: MessageFields | undefined;
  let actor: ActorRef | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === TAG.metadata) {
      hasMetadata = true;
      readHeaderEntry(reader, headers);
    } else if (tag === TAG.message) {
      message = readMessage(reader);
    } else if (tag === TAG.actor) {
      actor = readActor(reader);
    } else {
      reader.skip();
    }
  }
  const fromGrpc = headerValue(headers, "content-type")?.startsWith("application/grpc") === true;
  return {
    headers,
    origin: fromGrpc ? "grpc" : "http",
    stamps: undefined,
    hasMetadata,
    hasMessage: message !== undefined,
    ...(message ?? NO_MESSAGE),
    ...(actor === undefined ? undefined : { actor }),
  };
}

function readActor(reader: ProtoReader): ActorRef {
  let type = "";
  let id = "";
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === TAG.actorType) {
      type = reader.text();
    } else if (tag === TAG.actorId) {
      id = reader.text();
    } else {
      reader.skip();
    }
  }
  reader.leave(outer);
  return { type, id };
}

type MessageFields = Pick<RequestHead, "method" | "verb" | "query" | "contentType" | "typeUrl" | "data">;

const NO_MESSAGE: MessageFields = { method: "", verb: "", query: "", contentType: "", typeUrl: "", data: undefined };

function readMessage(reader: ProtoReader): MessageFields {
  const fields = {
    method: "",
    verb: "",
    query: "",
    contentType: "",
    typeUrl: "",
    data: undefined as Uint8Array | undefined,
  };
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case TAG.method:
        fields.method = reader.text();
        break;
      case TAG.data:
        readData(reader, fields);
        break;
      case TAG.contentType:
        fields.contentType = reader.rawText();
        break;
      case TAG.httpExtension:
        readExtension(reader, fields);
        break;
      default:
        reader.skip();
    }
  }
  reader.leave(outer);
  return fields;
}

function readExtension(reader: ProtoReader, fields: { verb: string; query: string }): void {
  fields.verb = "NONE";
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === TAG.verb) {
      fields.verb = VERBS[reader.uint()] ?? "NONE";
    } else if (tag === TAG.query) {
      fields.query = reader.rawText();
    } else {
      reader.skip();
    }
  }
  reader.leave(outer);
}

export const requestCodec = new HeadCodec<RequestHead>({ guess, write: writeRequest, read: readRequest });
