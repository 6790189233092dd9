import { FLAG, FRAME, FRAME_PAYLOAD_BYTES } from "./frames.ts";
import type { Output } from "./output.ts";

const PING_BYTES = 8;
/** Of the reason in a GOAWAY. */
const REASON_LENGTH_MAX = 200;

/** Writes whole frames; they go out at the end of the turn. No frame is longer than any peer must take. */
export class FrameWriter {
  private readonly output: Output;

  constructor(output: Output) {
    this.output = output;
  }

  /** Takes ownership of the bytes. */
  data(id: number, data: Uint8Array, start: number, end: number, endStream: boolean): void {
    const length = end - start;
    this.output.frameHeader(length, FRAME.data, endStream ? FLAG.endStream : 0, id);
    if (length > 0) this.output.payload(length === data.length ? data : data.subarray(start, end));
    this.output.schedule();
  }

  /** A header block, which may be empty, in as many frames as it needs. */
  headers(id: number, block: Buffer, endStream: boolean): void {
    const { output } = this;
    const flags = endStream ? FLAG.endStream : 0;
    const { length } = block;
    if (length <= FRAME_PAYLOAD_BYTES) {
      output.frameHeader(length, FRAME.headers, flags | FLAG.endHeaders, id);
      output.copy(block, 0, length);
    } else {
      for (let at = 0; at < length; at += FRAME_PAYLOAD_BYTES) {
        const end = Math.min(at + FRAME_PAYLOAD_BYTES, length);
        const last = end === length ? FLAG.endHeaders : 0;
        if (at === 0) output.frameHeader(end, FRAME.headers, flags, id);
        else output.frameHeader(end - at, FRAME.continuation, last, id);
        output.copy(block, at, end);
      }
    }
    output.schedule();
  }

  settings(entries: readonly (readonly [setting: number, value: number])[]): void {
    this.output.frameHeader(entries.length * 6, FRAME.settings, 0, 0);
    for (const [setting, value] of entries) {
      this.output.uint16(setting);
      this.output.uint32(value);
    }
    this.output.schedule();
  }

  settingsAck(): void {
    this.output.frameHeader(0, FRAME.settings, FLAG.ack, 0);
    this.output.schedule();
  }

  ping(): void {
    this.output.frameHeader(PING_BYTES, FRAME.ping, 0, 0);
    this.output.uint32(0);
    this.output.uint32(1);
    this.output.schedule();
  }

  /** The answer to a PING with these eight bytes. */
  pingAck(payload: Uint8Array, start: number, end: number): void {
    this.output.frameHeader(end - start, FRAME.ping, FLAG.ack, 0);
    this.output.copy(payload, start, end);
    this.output.schedule();
  }

  goaway(lastId: number, code: number, reason: string): void {
    const text = Buffer.from(reason.slice(0, REASON_LENGTH_MAX), "latin1");
    this.output.frameHeader(8 + text.length, FRAME.goaway, 0, 0);
    this.output.uint32(lastId);
    this.output.uint32(code);
    this.output.copy(text, 0, text.length);
    this.output.schedule();
  }

  reset(id: number, code: number): void {
    this.number(FRAME.rstStream, id, code);
  }

  /** Credit for a stream, or, with id 0, for the connection. */
  windowUpdate(id: number, bytes: number): void {
    this.number(FRAME.windowUpdate, id, bytes);
  }

  private number(type: number, id: number, value: number): void {
    this.output.frameHeader(4, type, 0, id);
    this.output.uint32(value);
    this.output.schedule();
  }
}
