import type { ResolvedTransportOptions } from "../limits.ts";
import { H2_ERROR } from "../transport.ts";
import { ConnectionError } from "./errors.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { WINDOW_BYTES_DEFAULT } from "./frames.ts";

/** A stream by what is counted of what it has received. */
export interface CreditedStream {
  readonly id: number;
  readonly remoteEnded: boolean;
  readonly closed: boolean;
  /** Bytes taken by the handler since the peer last got credit. */
  consumed: number;
  receiveWindow: number;
}

/**
 * What the peer may send: its credit on the connection and on each stream, given back as bytes are taken. Bytes of held
 * streams count as taken for the connection, up to a bound, so that one held stream does not stop the others.
 */
export class ReceiveWindows {
  private readonly options: ResolvedTransportOptions;
  private readonly writer: FrameWriter;
  private window = WINDOW_BYTES_DEFAULT;
  private unacknowledged = 0;
  private heldBytes = 0;
  /** Of the held bytes, those for which the connection's window was not refilled. */
  private debt = 0;

  constructor(options: ResolvedTransportOptions, writer: FrameWriter) {
    this.options = options;
    this.writer = writer;
  }

  /** Widens the connection's window from what all begin with, which SETTINGS cannot do. */
  widen(): void {
    const grown = this.options.connectionWindowBytes - this.window;
    if (grown <= 0) return;
    this.window += grown;
    this.writer.windowUpdate(0, grown);
  }

  /** DATA begins to come. @throws ConnectionError beyond the connection's window */
  spend(length: number): void {
    this.window -= length;
    if (this.window < 0) throw new ConnectionError(H2_ERROR.flowControl, "DATA beyond the connection's window");
  }

  /** The handler has taken bytes of a stream: the peer gets credit when half a window is taken. */
  creditStream(stream: CreditedStream, bytes: number): void {
    stream.consumed += bytes;
    if (stream.consumed * 2 < this.options.streamWindowBytes || stream.remoteEnded || stream.closed) return;
    stream.receiveWindow += stream.consumed;
    this.writer.windowUpdate(stream.id, stream.consumed);
    stream.consumed = 0;
  }

  creditConnection(bytes: number): void {
    this.unacknowledged += bytes;
    if (this.unacknowledged * 2 < this.options.connectionWindowBytes) return;
    this.window += this.unacknowledged;
    this.writer.windowUpdate(0, this.unacknowledged);
    this.unacknowledged = 0;
  }

  /** Bytes are kept for a stream that is held. */
  hold(bytes: number): void {
    this.heldBytes += bytes;
    if (this.heldBytes <= this.options.heldBytesMax) this.creditConnection(bytes);
    else this.debt += bytes;
  }

  /** They are kept no longer. */
  release(bytes: number): void {
    this.heldBytes -= bytes;
    const paid = Math.min(this.debt, bytes);
    this.debt -= paid;
    if (paid > 0) this.creditConnection(paid);
  }
}
