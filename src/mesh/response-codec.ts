import { headerMapGuess, readHeaderEntry, writeHeaderMap } from "./header-map.ts";
import type { ResponseHead, ResponseStatus, StreamMessage } from "./messages.ts";
import { readPayload, writePayload } from "./payload-codec.ts";
import { ProtoReader } from "../wire/codecs/proto-reader.ts";
import { ProtoWriter } from "../wire/codecs/proto-writer.ts";
import { readAny } from "./request-codec.ts";

/** The responses of `dapr.proto.internals.v1.ServiceInvocation`; the numbers are the definition's. */
const RESPONSE = 1;
const PAYLOAD = 2;
const STATUS = 1;
const HEADERS = 2;
const TRAILERS = 3;
const MESSAGE = 4;
const STATUS_CODE = 1;
const STATUS_MESSAGE = 2;
const STATUS_DETAILS = 3;
const DATA = 1;
const CONTENT_TYPE = 2;
const ANY_TYPE_URL = 1;
const ANY_VALUE = 2;

/** What is read, as whole tags: the number, three bits up, and the wire type. */
const TAG = {
  response: (RESPONSE << 3) | 2,
  payload: (PAYLOAD << 3) | 2,
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

const NO_BYTES = new Uint8Array(0);

export function encodeResponse(head: ResponseHead): Uint8Array {
  const writer = new ProtoWriter(guess(head));
  writeResponse(writer, head);
  return writer.finish();
}

export function decodeResponse(bytes: Uint8Array): ResponseHead {
  return readResponse(new ProtoReader(bytes));
}

export function encodeStreamResponse(message: StreamMessage<ResponseHead>): Uint8Array {
  const { head, payload } = message;
  const headBytes = head === undefined ? 0 : guess(head);
  const writer = new ProtoWriter(headBytes + (payload?.byteLength ?? 0) + 32);
  if (head !== undefined) {
    const mark = writer.begin(RESPONSE, headBytes);
    writeResponse(writer, head);
    writer.end(mark);
  }
  if (payload !== undefined) {
    writePayload(writer, PAYLOAD, payload, message.seq);
  }
  return writer.finish();
}

export function decodeStreamResponse(bytes: Uint8Array): StreamMessage<ResponseHead> {
  const reader = new ProtoReader(bytes);
  let head: ResponseHead | undefined;
  let payload: { readonly data: Uint8Array; readonly seq: number } | undefined;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === TAG.response) {
      const outer = reader.enter();
      head = readResponse(reader);
      reader.leave(outer);
    } else if (tag === TAG.payload) {
      payload = readPayload(reader);
    } else {
      reader.skip();
    }
  }
  return { head, payload: payload?.data, seq: payload?.seq ?? 0 };
}

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
  if (head.data !== undefined || head.typeUrl !== "") {
    const any = writer.begin(DATA, head.data?.byteLength ?? 0);
    writer.text(ANY_TYPE_URL, head.typeUrl);
    writer.octets(ANY_VALUE, head.data ?? NO_BYTES);
    writer.end(any);
  }
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
      readAny(reader, fields);
    } else if (tag === TAG.contentType) {
      fields.contentType = reader.rawText();
    } else {
      reader.skip();
    }
  }
  reader.leave(outer);
}
