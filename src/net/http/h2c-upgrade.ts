import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { headersForH2 } from "./headers.ts";

/** The client's connection preface ends with a SETTINGS frame (RFC 9113 section 3.4). */
const PREFACE_BYTES = 24;
const FRAME_HEADER_BYTES = 9;
/** Payload of one frame before SETTINGS allow more; the request must fit, since we write it as one HEADERS frame. */
const FRAME_PAYLOAD_BYTES_MAX = 16_384;

const HEADERS_FRAME = 1;
const END_STREAM_AND_HEADERS = 0x5;
/** The upgraded request is stream 1 by definition (RFC 7540 section 3.2). */
const UPGRADED_STREAM = 1;
/** HPACK: literal field without indexing, new name (RFC 7541 section 6.2.2); it leaves the peer's dynamic table alone. */
const LITERAL = 0x00;
const LENGTH_PREFIX_MAX = 0x7f;

const SWITCHING = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";

/** Whether a request may go on over HTTP/2: it asks for h2c, has no body and fits one frame. Anything else is answered as it is. */
export function wantsH2c(request: IncomingMessage): boolean {
  const { headers } = request;
  return (
    headers.upgrade?.toLowerCase() === "h2c" &&
    headers["http2-settings"] !== undefined &&
    headers["transfer-encoding"] === undefined &&
    (headers["content-length"] ?? "0") === "0" &&
    requestBlock(request).length <= FRAME_PAYLOAD_BYTES_MAX
  );
}

/**
 * Switches a connection to HTTP/2 after `Upgrade: h2c` and hands it over. The request itself becomes stream 1: behind the
 * client's preface we put it into the stream of bytes as the HEADERS frame that the client would have sent. A client that
 * does not speak within `timeoutMs` is cut off.
 */
export function upgradeToH2c(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  timeoutMs: number,
  accept: (socket: Socket) => void,
): void {
  let seen = head;
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  const look = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) seen = Buffer.concat([seen, chunk]);
    const prefaceEnd = endOfPreface(seen);
    if (prefaceEnd === undefined) return;
    stop();
    socket.unshift(
      Buffer.concat([seen.subarray(0, prefaceEnd), headersFrame(requestBlock(request)), seen.subarray(prefaceEnd)]),
    );
    accept(socket);
  };
  const stop = (): void => {
    clearTimeout(timer);
    socket.off("readable", look);
    socket.off("close", stop);
  };
  socket.on("readable", look);
  socket.once("close", stop);
  socket.write(SWITCHING, "latin1");
  look();
}

/** Bytes up to the end of the client's first frame; a frame too large to be its SETTINGS is left to the HTTP/2 server to refuse. */
function endOfPreface(seen: Buffer): number | undefined {
  if (seen.length < PREFACE_BYTES + FRAME_HEADER_BYTES) return undefined;
  const length = seen.readUIntBE(PREFACE_BYTES, 3);
  const end = PREFACE_BYTES + FRAME_HEADER_BYTES + Math.min(length, FRAME_PAYLOAD_BYTES_MAX);
  return seen.length < end ? undefined : end;
}

function headersFrame(block: Buffer): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER_BYTES);
  frame.writeUIntBE(block.length, 0, 3);
  frame.writeUInt8(HEADERS_FRAME, 3);
  frame.writeUInt8(END_STREAM_AND_HEADERS, 4);
  frame.writeUInt32BE(UPGRADED_STREAM, 5);
  return Buffer.concat([frame, block]);
}

/** The request as an HPACK block. */
function requestBlock(request: IncomingMessage): Buffer {
  const pseudo = [
    ":method",
    request.method ?? "GET",
    ":scheme",
    "http",
    ":authority",
    request.headers.host ?? "",
    ":path",
    request.url ?? "/",
  ];
  const fields = [...pseudo, ...headersForH2(request.rawHeaders)];
  const parts: Buffer[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    parts.push(Buffer.of(LITERAL), hpackString(fields[index] ?? ""), hpackString(fields[index + 1] ?? ""));
  }
  return Buffer.concat(parts);
}

/** A string without Huffman coding, its length as an integer with a 7-bit prefix (RFC 7541 section 5). */
function hpackString(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  if (bytes.length < LENGTH_PREFIX_MAX) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const prefix = [LENGTH_PREFIX_MAX];
  let rest = bytes.length - LENGTH_PREFIX_MAX;
  while (rest >= 0x80) {
    prefix.push((rest & LENGTH_PREFIX_MAX) | 0x80);
    rest >>>= 7;
  }
  prefix.push(rest);
  return Buffer.concat([Buffer.from(prefix), bytes]);
}
