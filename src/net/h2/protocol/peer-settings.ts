import { H2_ERROR } from "../transport.ts";
import { ConnectionError } from "./errors.ts";
import {
  FRAME_PAYLOAD_BYTES,
  FRAME_PAYLOAD_BYTES_LIMIT,
  SETTING,
  WINDOW_BYTES_DEFAULT,
  WINDOW_BYTES_LIMIT,
} from "./frames.ts";
import type { HpackEncoder } from "./hpack/encoder.ts";
import type { StreamTable } from "./stream-table.ts";

const ENTRY_BYTES = 6;

/** What the peer's SETTINGS say, and what follows for our header table and the streams that are open. */
export class PeerSettings {
  /** They have come at all: nothing else may come before. */
  received = false;
  /** Streams it lets us open at a time. A client assumes a number until they have come; a peer that names none has none. */
  streamsMax = Number.POSITIVE_INFINITY;
  /** The window that each new stream of ours begins with. */
  initialWindow = WINDOW_BYTES_DEFAULT;
  /** Of a header list, as HPACK counts them. */
  headerBytesMax = Number.POSITIVE_INFINITY;
  private readonly entriesMax: number;
  private readonly encoder: HpackEncoder;
  private readonly streams: StreamTable;

  constructor(entriesMax: number, encoder: HpackEncoder, streams: StreamTable) {
    this.entriesMax = entriesMax;
    this.encoder = encoder;
    this.streams = streams;
  }

  /** Takes the entries of one frame in their order. @throws ConnectionError */
  read(payload: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length % ENTRY_BYTES !== 0) throw new ConnectionError(H2_ERROR.frameSize, "SETTINGS of an odd length");
    if (length > this.entriesMax * ENTRY_BYTES) {
      throw new ConnectionError(H2_ERROR.enhanceYourCalm, "too many SETTINGS in a frame", "control_flood");
    }
    if (!this.received) this.streamsMax = Number.POSITIVE_INFINITY;
    this.received = true;
    for (let at = start; at < end; at += ENTRY_BYTES) {
      this.apply(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    }
  }

  private apply(setting: number, value: number): void {
    switch (setting) {
      case SETTING.headerTableSize:
        this.encoder.limitTable(value);
        return;
      case SETTING.enablePush:
        if (value > 1) throw new ConnectionError(H2_ERROR.protocol, "ENABLE_PUSH is neither 0 nor 1");
        return;
      case SETTING.maxConcurrentStreams:
        this.streamsMax = value;
        return;
      case SETTING.initialWindowSize:
        this.changeWindows(value);
        return;
      case SETTING.maxFrameSize:
        if (value < FRAME_PAYLOAD_BYTES || value > FRAME_PAYLOAD_BYTES_LIMIT) {
          throw new ConnectionError(H2_ERROR.protocol, `MAX_FRAME_SIZE of ${value}`);
        }
        // Larger frames would only let one stream hold up the others for longer.
        return;
      case SETTING.maxHeaderListSize:
        this.headerBytesMax = value;
    }
  }

  /** The windows of open streams change by as much as that of new ones (RFC 9113 section 6.9.2). */
  private changeWindows(value: number): void {
    if (value > WINDOW_BYTES_LIMIT) throw new ConnectionError(H2_ERROR.flowControl, "INITIAL_WINDOW_SIZE is too large");
    const difference = value - this.initialWindow;
    this.initialWindow = value;
    for (const stream of this.streams.all()) {
      if (stream.sendWindow + difference > WINDOW_BYTES_LIMIT) {
        throw new ConnectionError(H2_ERROR.flowControl, "INITIAL_WINDOW_SIZE overflows a window");
      }
      stream.sendWindow += difference;
    }
  }
}
