import { resolveTransportOptions } from "../../src/net/h2/limits.ts";
import { FLAG, FRAME } from "../../src/net/h2/protocol/frames.ts";
import { Offences } from "../../src/net/h2/protocol/offences.ts";
import { ReceiveWindows } from "../../src/net/h2/protocol/receive-windows.ts";
import { SendTurns } from "../../src/net/h2/protocol/send-turns.ts";
import { H2Stream, type StreamOwner } from "../../src/net/h2/protocol/stream.ts";
import type { StreamHandler } from "../../src/net/h2/transport.ts";
import { FrameSink } from "./h2-sink.ts";

const OPTIONS = resolveTransportOptions();
const IGNORE: StreamHandler = { onData() {}, onEnd() {}, onClose() {} };

/** As much of a connection as its streams need: heads are empty blocks. */
export class StreamOwnerDouble implements StreamOwner {
  readonly sink = new FrameSink();
  readonly turns = new SendTurns(this.sink.output, this.sink.writer, new Offences(OPTIONS, this.sink.output));
  readonly windows = new ReceiveWindows(OPTIONS, this.sink.writer);

  constructor() {
    this.sink.onRoom = () => this.turns.run();
  }

  sendResponse(stream: H2Stream, _head: object, endStream: boolean): boolean {
    this.sink.writer.headers(stream.id, Buffer.alloc(0), endStream);
    return true;
  }

  sendTrailers(stream: H2Stream): boolean {
    this.sink.writer.headers(stream.id, Buffer.alloc(0), true);
    return true;
  }

  resetStream(stream: H2Stream, code: number): void {
    this.sink.writer.reset(stream.id, code);
    stream.finishLater(code);
  }

  finishStream(stream: H2Stream, code: number): void {
    stream.finish(code);
  }

  stream(id: number, sendWindow: number, handler: StreamHandler = IGNORE): H2Stream {
    return new H2Stream(this, id, handler, sendWindow, OPTIONS.streamWindowBytes);
  }

  /** What went out of DATA and heads since the last call: stream, bytes, and whether it was the stream's end. */
  sent(): [id: number, bytes: number, end: boolean][] {
    return this.sink
      .take()
      .filter(({ type }) => type === FRAME.data || type === FRAME.headers)
      .map(({ id, payload, flags }) => [id, payload.length, (flags & FLAG.endStream) !== 0]);
  }
}
