import { H2_ERROR } from "../transport.ts";
import { ConnectionError } from "./errors.ts";
import type { Offences } from "./offences.ts";
import type { ReceiveWindows } from "./receive-windows.ts";
import type { ResetMemory } from "./reset-memory.ts";
import type { StreamTable } from "./stream-table.ts";
import type { H2Stream } from "./stream.ts";

/** What a connection knows and does of the streams that DATA comes on. Calls may throw `ConnectionError`. */
export interface DataOwner {
  /** Whether a stream of this id has never been: neither opened nor skipped. */
  isIdle(id: number): boolean;
  /** Whether DATA may come on the stream now. */
  expectsData(stream: H2Stream): boolean;
  /** Resets a stream whose peer did what it must not. */
  offend(stream: H2Stream, code: number): void;
  /** A frame has come on a stream that is over. */
  strayFrame(id: number): void;
  /** The peer has ended the stream. */
  endOf(stream: H2Stream): void;
}

/** Takes DATA as it comes, in pieces of its frame: to its stream, or, where nobody takes it, nowhere. */
export class IncomingData {
  private readonly owner: DataOwner;
  private readonly streams: StreamTable;
  private readonly windows: ReceiveWindows;
  private readonly offences: Offences;
  private readonly resetByUs: ResetMemory;
  /** The stream of the frame that is being read; undefined: nobody takes it. */
  private stream: H2Stream | undefined = undefined;
  /** Bytes of it, padding included: all, and those that no stream has taken. */
  private length = 0;
  private left = 0;

  constructor(
    owner: DataOwner,
    parts: { streams: StreamTable; windows: ReceiveWindows; offences: Offences; resetByUs: ResetMemory },
  ) {
    this.owner = owner;
    this.streams = parts.streams;
    this.windows = parts.windows;
    this.offences = parts.offences;
    this.resetByUs = parts.resetByUs;
  }

  begin(id: number, length: number): void {
    if (id === 0) throw new ConnectionError(H2_ERROR.protocol, "DATA on stream 0");
    this.windows.spend(length);
    this.length = length;
    this.left = length;
    const stream = this.streams.get(id);
    this.stream = stream;
    if (stream === undefined) {
      if (this.owner.isIdle(id)) throw new ConnectionError(H2_ERROR.protocol, `DATA on idle stream ${id}`);
      if (!this.resetByUs.spend(id, length)) this.owner.strayFrame(id);
      return;
    }
    if (stream.remoteEnded || !this.owner.expectsData(stream)) {
      this.refuse(stream, stream.remoteEnded ? H2_ERROR.streamClosed : H2_ERROR.protocol);
      return;
    }
    stream.receiveWindow -= length;
    if (stream.receiveWindow < 0) this.refuse(stream, H2_ERROR.flowControl);
  }

  take(chunk: Buffer): void {
    const { stream } = this;
    if (stream === undefined || stream.closed) return;
    this.left -= chunk.length;
    stream.received += chunk.length;
    if (stream.contentLength !== -1 && stream.received > stream.contentLength) {
      this.windows.creditConnection(chunk.length);
      this.owner.offend(stream, H2_ERROR.protocol);
      return;
    }
    stream.gotData(chunk);
  }

  end(endStream: boolean): void {
    const { stream, left } = this;
    const taken = this.length - left;
    if (taken > 0) this.offences.tookData(taken);
    else if (stream === undefined ? this.length === 0 : !endStream) this.offences.countNoise();
    this.stream = undefined;
    if (left > 0) {
      // Padding, and what came for nobody.
      this.windows.creditConnection(left);
      if (stream !== undefined && !stream.closed) this.windows.creditStream(stream, left);
    }
    if (endStream && stream !== undefined && !stream.closed) this.owner.endOf(stream);
  }

  private refuse(stream: H2Stream, code: number): void {
    this.stream = undefined;
    this.owner.offend(stream, code);
  }
}
