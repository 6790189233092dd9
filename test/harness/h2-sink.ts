import { Output } from "../../src/net/h2/protocol/output.ts";
import { FrameWriter } from "../../src/net/h2/protocol/frame-writer.ts";
import { FakeSocket } from "../fuzz/fake-socket.ts";
import type { ReceivedFrame } from "./h2-raw-peer.ts";

/** The sending half of a connection, on a socket that keeps what is written to it. */
export class FrameSink {
  readonly socket = new SinkSocket();
  readonly output: Output;
  readonly writer: FrameWriter;
  onRoom: () => void = () => undefined;

  constructor() {
    this.output = new Output(this.socket.asSocket(), () => this.onRoom());
    this.writer = new FrameWriter(this.output);
  }

  /** The frames that went out since the last call. */
  take(): ReceivedFrame[] {
    this.output.flush();
    const bytes = Buffer.concat(this.socket.chunks.splice(0));
    const frames: ReceivedFrame[] = [];
    for (let at = 0; at < bytes.length;) {
      const end = at + 9 + bytes.readUIntBE(at, 3);
      frames.push({
        type: bytes[at + 3] ?? 0,
        flags: bytes[at + 4] ?? 0,
        id: bytes.readUInt32BE(at + 5),
        payload: bytes.subarray(at + 9, end),
      });
      at = end;
    }
    return frames;
  }
}

/** Keeps what is written to it. */
export class SinkSocket extends FakeSocket {
  readonly chunks: Buffer[] = [];
  /** What `write` answers: false asks for a pause until "drain". */
  room = true;

  override write(bytes: Uint8Array): boolean {
    this.chunks.push(Buffer.from(bytes));
    return this.room;
  }
}
