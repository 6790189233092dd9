import type { ResolvedTransportOptions } from "../limits.ts";
import { H2_ERROR } from "../transport.ts";
import { ConnectionError } from "./errors.ts";
import { FLAG, FRAME_PAYLOAD_BYTES } from "./frames.ts";
import { type DecodedHead, HpackDecoder } from "./hpack/decoder.ts";
import type { HuffmanDecoder } from "./hpack/huffman.ts";

/** Of the table that the peer may fill: what it is without a setting. */
const HEADER_TABLE_BYTES = 4096;
const PRIORITY_BYTES = 5;

/** Puts the header blocks of the peer together from their frames and decodes them, one after the other. */
export class HeaderBlocks {
  /** The stream whose block is still unfinished: only its CONTINUATION may come; 0: none is. */
  openId = 0;
  /** Of the block that is being put together or was decoded last. */
  bytes = 0;
  /** Whether that block ends its stream. */
  endStream = false;
  private selfDependent = false;
  private parts: Buffer[] = [];
  private readonly decoder: HpackDecoder;
  private readonly bytesMax: number;
  private readonly continuationsMax: number;

  constructor(options: ResolvedTransportOptions, huffman: HuffmanDecoder) {
    const { headerBytesMax, headerFieldsMax: fieldsMax } = options;
    this.decoder = new HpackDecoder({ tableBytesMax: HEADER_TABLE_BYTES, headerBytesMax, fieldsMax }, huffman);
    this.bytesMax = headerBytesMax + FRAME_PAYLOAD_BYTES;
    this.continuationsMax = options.continuationsMax;
  }

  /** The payload of HEADERS. @returns the head if it is whole. @throws ConnectionError */
  begin(flags: number, id: number, payload: Buffer, start: number, end: number): DecodedHead | undefined {
    if (id === 0) throw new ConnectionError(H2_ERROR.protocol, "HEADERS on stream 0");
    let from = start;
    let to = end;
    if ((flags & FLAG.padded) !== 0) {
      if (from >= to) throw new ConnectionError(H2_ERROR.frameSize, "HEADERS too short for their padding");
      to -= payload[from] as number;
      from += 1;
      if (to < from) throw new ConnectionError(H2_ERROR.protocol, "padding longer than its frame");
    }
    this.selfDependent = false;
    if ((flags & FLAG.priority) !== 0) {
      if (to - from < PRIORITY_BYTES) {
        throw new ConnectionError(H2_ERROR.frameSize, "HEADERS too short for their priority");
      }
      this.selfDependent = (payload.readUInt32BE(from) & 0x7fffffff) === id;
      from += PRIORITY_BYTES;
    }
    this.endStream = (flags & FLAG.endStream) !== 0;
    if ((flags & FLAG.endHeaders) !== 0) return this.decode(payload, from, to);
    this.openId = id;
    this.bytes = 0;
    this.keep(payload, from, to);
    return undefined;
  }

  /** The payload of CONTINUATION. @returns the head if it is whole now. @throws ConnectionError */
  append(flags: number, payload: Buffer, start: number, end: number): DecodedHead | undefined {
    if (this.openId === 0) throw new ConnectionError(H2_ERROR.protocol, "CONTINUATION without a header block");
    this.keep(payload, start, end);
    if ((flags & FLAG.endHeaders) === 0) return undefined;
    const block = Buffer.concat(this.parts, this.bytes);
    this.openId = 0;
    this.parts = [];
    return this.decode(block, 0, block.length);
  }

  private keep(payload: Buffer, start: number, end: number): void {
    this.bytes += end - start;
    if (this.parts.length > this.continuationsMax || this.bytes > this.bytesMax) {
      throw new ConnectionError(H2_ERROR.enhanceYourCalm, "a header block of too many frames or bytes", "header_flood");
    }
    this.parts.push(Buffer.from(payload.subarray(start, end)));
  }

  private decode(block: Buffer, start: number, end: number): DecodedHead {
    this.bytes = end - start;
    const head = this.decoder.decode(block, start, end);
    // A stream that depends on itself (RFC 9113 section 5.3.1 keeps RFC 7540's rule) is as good as malformed.
    return this.selfDependent && head.fault === "" ? { ...head, fault: "malformed" } : head;
  }
}
