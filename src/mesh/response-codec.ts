import { readData, writeData } from "./data-codec.ts";
import { HeadCodec } from "./head-codec.ts";
import { headerMapGuess, readHeaderEntry, writeHeaderMap } from "./header-map.ts";
import type { ResponseHead, ResponseStatus } from "./messages.ts";
import { ProtoReader } from "../wire/codecs/proto-reader.ts";
import type { ProtoWriter } from "../wire/codecs/proto-writer.ts";

/** The responses of `dapr.proto.internals.v1.ServiceInvocation`; the numbers are the definition's. */
const STATUS = 1;
const HEADERS = 2;
const TRAILERS = 3;
const MESSAGE = 4;
const STATUS_CODE = 1;
const STATUS_MESSAGE = 2;
const STATUS_DETAILS = 3;
const DATA = 1;
const CONTENT_TYPE = 2;

/** What is read, as whole tags: the number, three bits up, and the wire type. */
const TAG = {
  status: (STATUS << 3) | 2,
  headers: (HEADERS << 3) | 2,
  trailers: (TRAILERS << 3) | 2,
  message: (MESSAGE << 3) | 2,
  statusCode: STATUS_CODE << 3,
  statusMessage: (STATUS_MESSAGE << 3) | 2,
  statusDetails: (STATUS_DETAILS << 3) | 2,
  data: (DATA << 3) | 2,
  contentType: (CONTENT_TYPE << 3) | 2,
} as const;

/** Bytes for everything but headers, texts and body; a guess. */
const FIXED_BYTES = 128;
/** Codes from here on are HTTP's. */
const HTTP_STATUS_MIN = 100;

function guess(head: ResponseHead): number {
  return FIXED_BYTES + headerMapGuess(head.headers) + headerMapGuess(head.trailers) + (head.data?.byteLength ?? 0);
}

function writeResponse(writer: ProtoWriter, head: ResponseHead): void {
  const { status } = head;
  const fromHttp = status !== undefined && status.code >= HTTP_STATUS_MIN;
  if (status !== undefined) {
    writeStatus(writer, status);
  }
  writeHeaderMap(writer, HEADERS, head.headers, fromHttp);
  writeHeaderMap(writer, TRAILERS, head.trailers, fromHttp);
  const message = writer.begin(MESSAGE, head.data?.byteLength ?? 0);
  writeData(writer, DATA, head);
  if (head.contentType !== "") {
    writer.rawText(CONTENT_TYPE, head.contentType);
  }
  writer.end(message);
}

/** Written also when it is all zero: a peer takes a missing status for a broken answer. */
function writeStatus(writer: ProtoWriter, status: ResponseStatus): void {
  if (status.detailsBin !== undefined) {
    writer.octets(STATUS, status.detailsBin);
    return;
  }
  const mark = writer.begin(STATUS, 0);
  writer.uint(STATUS_CODE, status.code);
  writer.text(STATUS_MESSAGE, status.message);
  writer.end(mark);
}

function readResponse(reader: ProtoReader): ResponseHead {
  const headers: string[] = [];
  const trailers: string[] = [];
  let status: ResponseStatus | undefined;
  let hasMessage = false;
  const fields = { contentType: "", typeUrl: "", data: undefined as Uint8Array | undefined };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case TAG.status:
        status = readStatus(reader.octets());
        break;
      case TAG.headers:
        readHeaderEntry(reader, headers);
        break;
      case TAG.trailers:
        readHeaderEntry(reader, trailers);
        break;
      case TAG.message:
        hasMessage = true;
        readMessage(reader, fields);
        break;
      default:
        reader.skip();
    }
  }
  return {
    status,
    headers,
    trailers,
    hasMessage,
    contentType: fields.contentType,
    typeUrl: fields.typeUrl,
    data: fields.data,
  };
}

function readStatus(bytes: Uint8Array): ResponseStatus {
  const reader = new ProtoReader(bytes);
  let code = 0;
  let message = "";
  let detailed = false;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === TAG.statusCode) {
      code = reader.uint();
    } else if (tag === TAG.statusMessage) {
      message = reader.text();
    } else {
      detailed ||= tag === TAG.statusDetails;
      reader.skip();
    }
  }
  return { code, message, detailsBin: detailed ? bytes : undefined };
}

function readMessage(
  reader: ProtoReader,
  fields: { contentType: string; typeUrl: string; data: Uint8Array | undefined },
): void {
  const outer = reader.enter();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === TAG.data) {
      readData(reader, fields);
    } else if (tag === TAG.contentType) {
      fields.contentType = reader.rawText();
    } else {
      reader.skip();
    }
  }
  reader.leave(outer);
}

export const responseCodec = new HeadCodec<ResponseHead>({ guess, write: writeResponse, read: readResponse });
