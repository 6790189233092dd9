import type { Socket } from "node:net";
import type { HeaderList } from "../../http/types.ts";
import { NOISE_PER_STREAM, type ResolvedTransportOptions, STRAY_FRAME_COST } from "../limits.ts";
import { H2_ERROR, type RequestHead, type ResponseHead } from "../transport.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { ConnectionError } from "./errors.ts";
import { Farewell } from "./farewell.ts";
import { type FrameHandler, FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { FLAG, FRAME, WINDOW_BYTES_LIMIT } from "./frames.ts";
import { HeadSender } from "./head-sender.ts";
import { HeaderBlocks } from "./header-blocks.ts";
import type { DecodedHead } from "./hpack/decoder.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import type { HpackTables } from "./hpack/tables.ts";
import { type DataOwner, IncomingData } from "./incoming-data.ts";
import { Offences } from "./offences.ts";
import { Output } from "./output.ts";
import { Patience, type Watched } from "./patience.ts";
import { PeerSettings } from "./peer-settings.ts";
import { ReceiveWindows } from "./receive-windows.ts";
import { ResetMemory } from "./reset-memory.ts";
import { SendTurns } from "./send-turns.ts";
import type { H2Stream, StreamOwner } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

/** What both ends of a connection do alike: where frames come in and streams are told (RFC 9113). */
export abstract class Connection implements FrameHandler, StreamOwner, DataOwner, Watched {
  /** The socket is gone, or all has been said. */
  lost = false;
  readonly socket: Socket;
  readonly turns: SendTurns;
  readonly windows: ReceiveWindows;
  protected readonly options: ResolvedTransportOptions;
  protected readonly output: Output;
  protected readonly writer: FrameWriter;
  protected readonly streams = new StreamTable();
  protected readonly peerSettings: PeerSettings;
  protected readonly blocks: HeaderBlocks;
  protected readonly offences: Offences;
  protected readonly resetByUs = new ResetMemory();
  protected readonly acknowledgements: Acknowledgements;
  protected readonly farewell: Farewell;
  /** No new streams: either end has said GOAWAY. */
  protected draining = false;
  protected ticks = 0;
  private readonly reader: FrameReader;
  private readonly headSender: HeadSender;
  private readonly patience: Patience;
  private readonly data: IncomingData;

  constructor(socket: Socket, options: ResolvedTransportOptions, tables: HpackTables) {
    this.socket = socket;
    this.options = options;
    this.output = new Output(socket, () => this.turns.run());
    this.writer = new FrameWriter(this.output);
    this.offences = new Offences(options, this.output);
    this.turns = new SendTurns(this.output, this.writer, this.offences);
    this.windows = new ReceiveWindows(options, this.writer);
    this.acknowledgements = new Acknowledgements(this.writer, this.offences);
    const encoder = new HpackEncoder(tables.staticIndex);
    this.peerSettings = new PeerSettings(options.settingsEntriesMax, encoder, this.streams);
    this.headSender = new HeadSender(encoder, this.writer, this.peerSettings);
    this.blocks = new HeaderBlocks(options, tables.huffman);
    const { streams, windows, offences, resetByUs } = this;
    this.data = new IncomingData(this, { streams, windows, offences, resetByUs });
    this.reader = new FrameReader(this);
    this.patience = new Patience(options, this, this.turns);
    this.farewell = new Farewell(socket, this.output);
    socket.setNoDelay(true);
    socket.on("error", (error) => this.gone(error));
    socket.on("close", () => this.gone());
    socket.on("end", () => this.gone());
    socket.on("data", (chunk: Buffer) => this.read(chunk));
  }

  get busy(): boolean {
    return this.streams.size > 0;
  }

  get settingsReceived(): boolean {
    return this.peerSettings.received;
  }

  get unfinished(): number {
    return this.blocks.openId === 0 ? this.reader.unfinished : -this.blocks.openId;
  }

  unopenedBytes(): number {
    return 0;
  }

  sendKeepalive(): void {
    this.acknowledgements.ping();
  }

  /** Called by the owner about every second. */
  tick(elapsedMs: number): void {
    if (this.lost) return;
    this.ticks += 1;
    this.offences.passed(elapsedMs);
    if (!this.patience.heard && !this.busy) this.output.rest();
    const fault = this.patience.passed(elapsedMs);
    if (fault !== undefined) this.cutOff(fault);
  }

  /** Ends the connection at once. */
  kill(): void {
    this.socket.destroy();
    this.gone();
  }

  sendResponse(stream: H2Stream, head: ResponseHead, endStream: boolean): boolean {
    return this.headSender.response(stream.id, head, endStream) || this.giveUp(stream);
  }

  sendTrailers(stream: H2Stream, trailers: HeaderList): boolean {
    return this.headSender.trailers(stream.id, trailers) || this.giveUp(stream);
  }

  /** @returns false when the head cannot be sent: the stream ends without the peer having heard of it */
  protected sendRequest(stream: H2Stream, head: RequestHead, endStream: boolean): boolean {
    return this.headSender.request(stream.id, head, endStream) || this.giveUp(stream);
  }

  resetStream(stream: H2Stream, code: number, quietly: boolean): void {
    if (stream.closed) return;
    if (stream.id !== 0 && !(stream.localEnded && stream.remoteEnded)) {
      this.writer.reset(stream.id, code);
      this.resetByUs.add(stream.id, stream.receiveWindow);
    }
    if (!quietly) {
      this.finishStream(stream, code);
      return;
    }
    this.offences.streamResetByUs();
    this.forget(stream);
    stream.finishLater(code);
  }

  finishStream(stream: H2Stream, code: number): void {
    if (stream.closed) return;
    this.forget(stream);
    if (stream.localEnded && stream.remoteEnded) this.offences.streamEnded();
    stream.finish(code);
  }

  onDataStart(id: number, length: number): void {
    this.expectFrame(FRAME.data, id);
    this.data.begin(id, length);
  }

  onDataChunk(_id: number, chunk: Buffer): void {
    this.data.take(chunk);
  }

  onDataEnd(_id: number, endStream: boolean): void {
    this.data.end(endStream);
  }

  onFrame(type: number, flags: number, id: number, payload: Buffer, start: number, end: number): void {
    this.expectFrame(type, id);
    switch (type) {
      case FRAME.headers:
        this.gotBlock(id, this.blocks.begin(flags, id, payload, start, end));
        return;
      case FRAME.continuation:
        this.gotBlock(id, this.blocks.append(flags, payload, start, end));
        return;
      case FRAME.windowUpdate:
        this.gotWindowUpdate(id, payload, start, end);
        return;
      case FRAME.settings:
        this.gotSettings(flags, id, payload, start, end);
        return;
      case FRAME.ping:
        this.acknowledgements.gotPing(flags, id, payload, start, end);
        return;
      case FRAME.rstStream:
        this.gotReset(id, payload, start, end);
        return;
      case FRAME.goaway:
        if (id !== 0) throw new ConnectionError(H2_ERROR.protocol, "GOAWAY on a stream");
        if (end - start < 8) throw new ConnectionError(H2_ERROR.frameSize, "GOAWAY is too short");
        this.offences.countNoise();
        this.gotGoaway(payload.readUInt32BE(start) & 0x7fffffff, payload.readUInt32BE(start + 4));
        return;
      case FRAME.priority:
        this.gotPriority(id, payload, start, end);
        return;
      case FRAME.pushPromise:
        throw new ConnectionError(H2_ERROR.protocol, "PUSH_PROMISE, which nobody allowed");
      default:
        this.offences.countNoise();
    }
  }

  abstract isIdle(id: number): boolean;
  abstract expectsData(stream: H2Stream): boolean;
  /** A whole header block for a stream that is open (undefined: none of this id is). */
  protected abstract gotHead(id: number, stream: H2Stream | undefined, head: DecodedHead, endStream: boolean): void;
  /** The peer has reset a stream that is open. */
  protected abstract gotStreamReset(stream: H2Stream, code: number): void;
  protected abstract gotGoaway(lastId: number, code: number): void;
  /** The connection has ended; streams have been told. */
  protected abstract onGone(error: Error | undefined): void;
  /** A stream has ended: there may be room for another, or nothing left to wait for. */
  protected abstract onStreamGone(): void;
  /** The last stream id of the peer's that we have looked at, for GOAWAY. */
  protected abstract lastPeerId(): number;

  /** The peer's limits have changed. */
  protected onSettings(): void {}

  /** A head cannot be sent, and its stream is about to be reset for it. */
  protected onUnsendable(_stream: H2Stream): void {}

  /** What is read before the first frame. @returns the bytes that follow it */
  protected readPreface(chunk: Buffer): Buffer | undefined {
    return chunk;
  }

  protected sendSettings(entries: readonly (readonly [setting: number, value: number])[]): void {
    this.writer.settings(entries);
    this.acknowledgements.sentSettings();
    this.windows.widen();
  }

  /** The offence is counted as well. */
  offend(stream: H2Stream, code: number): void {
    this.resetStream(stream, code, false);
    this.offences.countReset(stream.headBytes);
  }

  /** What comes on a stream that is over: no offence where we have reset it, since the peer may not know yet. */
  strayFrame(id: number): void {
    if (this.resetByUs.has(id)) return;
    this.writer.reset(id, H2_ERROR.streamClosed);
    this.offences.countNoise(STRAY_FRAME_COST);
  }

  /** The peer's END_STREAM: its body must be as long as its head said. */
  endOf(stream: H2Stream): void {
    if (stream.contentLength !== -1 && stream.contentLength !== stream.received) {
      this.offend(stream, H2_ERROR.protocol);
      return;
    }
    stream.gotEnd();
  }

  /** Trailers end a stream and have no pseudo-headers (RFC 9113 section 8.1). */
  protected gotTrailers(stream: H2Stream, head: DecodedHead, endStream: boolean): void {
    if (stream.remoteEnded) {
      this.offend(stream, H2_ERROR.streamClosed);
      return;
    }
    if (!endStream || head.pseudo || head.fault !== "") {
      this.offend(stream, H2_ERROR.protocol);
      return;
    }
    stream.gotTrailers(head.headers);
    if (!stream.closed) this.endOf(stream);
  }

  /** Ends the connection because of what the peer did, and says why. */
  private cutOff(fault: ConnectionError): void {
    if (this.lost) return;
    const { kind, code, message: reason } = fault;
    this.options.onCutOff?.({ kind, code, reason, remoteAddress: this.socket.remoteAddress ?? "" });
    this.writer.goaway(this.lastPeerId(), code, reason);
    this.farewell.begin(false);
    this.gone(fault);
  }

  protected gone(error?: Error): void {
    if (this.lost) return;
    this.lost = true;
    this.output.drop();
    if (!this.socket.writableEnded) this.socket.destroy();
    const streams = this.streams.all();
    this.streams.clear();
    this.turns.clear();
    this.onGone(error);
    for (const stream of streams) stream.finish(-1);
  }

  private read(chunk: Buffer): void {
    if (this.lost) {
      this.farewell.discard(chunk.length);
      return;
    }
    this.patience.heard = true;
    try {
      const frames = this.readPreface(chunk);
      if (frames !== undefined) this.reader.push(frames);
    } catch (error) {
      if (!(error instanceof ConnectionError)) {
        this.kill();
        throw error;
      }
      this.cutOff(error);
    }
  }

  private giveUp(stream: H2Stream): false {
    this.onUnsendable(stream);
    this.resetStream(stream, H2_ERROR.internal, true);
    return false;
  }

  private forget(stream: H2Stream): void {
    if (stream.id !== 0) this.streams.delete(stream);
    this.onStreamGone();
  }

  private expectFrame(type: number, id: number): void {
    if (!this.peerSettings.received && type !== FRAME.settings) {
      throw new ConnectionError(H2_ERROR.protocol, "the first frame is not SETTINGS");
    }
    const { openId } = this.blocks;
    if (openId !== 0 && (type !== FRAME.continuation || id !== openId)) {
      throw new ConnectionError(H2_ERROR.protocol, "a frame in the middle of a header block");
    }
  }

  private gotBlock(id: number, head: DecodedHead | undefined): void {
    if (head === undefined) return;
    this.offences.checkBacklog();
    if (head.fault === "tooLarge") this.offences.countLargeHead();
    this.gotHead(id, this.streams.get(id), head, this.blocks.endStream);
  }

  private gotWindowUpdate(id: number, payload: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw new ConnectionError(H2_ERROR.frameSize, "WINDOW_UPDATE is not 4 bytes long");
    const bytes = payload.readUInt32BE(start) & 0x7fffffff;
    this.offences.countNoise();
    if (id === 0) {
      this.turns.widen(bytes);
      return;
    }
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (this.isIdle(id)) throw new ConnectionError(H2_ERROR.protocol, `WINDOW_UPDATE on idle stream ${id}`);
      return;
    }
    if (bytes === 0) {
      this.offend(stream, H2_ERROR.protocol);
      return;
    }
    stream.sendWindow += bytes;
    if (stream.sendWindow > WINDOW_BYTES_LIMIT) this.offend(stream, H2_ERROR.flowControl);
    else this.turns.reconsider(stream);
  }

  private gotSettings(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    if (id !== 0) throw new ConnectionError(H2_ERROR.protocol, "SETTINGS on a stream");
    if ((flags & FLAG.ack) !== 0) {
      if (!this.peerSettings.received) throw new ConnectionError(H2_ERROR.protocol, "the first frame is not SETTINGS");
      this.acknowledgements.gotSettingsAck(end - start);
      return;
    }
    this.offences.countNoise(1 + this.streams.size * NOISE_PER_STREAM);
    this.peerSettings.read(payload, start, end);
    this.writer.settingsAck();
    // Only now what the new limits allow: the peer must first hear that we know them.
    for (const stream of this.streams.all()) this.turns.reconsider(stream);
    this.onSettings();
  }

  private gotReset(id: number, payload: Buffer, start: number, end: number): void {
    if (id === 0) throw new ConnectionError(H2_ERROR.protocol, "RST_STREAM on stream 0");
    if (end - start !== 4) throw new ConnectionError(H2_ERROR.frameSize, "RST_STREAM is not 4 bytes long");
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (this.isIdle(id)) throw new ConnectionError(H2_ERROR.protocol, `RST_STREAM on idle stream ${id}`);
      this.offences.countNoise();
      return;
    }
    this.gotStreamReset(stream, payload.readUInt32BE(start));
  }

  private gotPriority(id: number, payload: Buffer, start: number, end: number): void {
    if (id === 0) throw new ConnectionError(H2_ERROR.protocol, "PRIORITY on stream 0");
    this.offences.countNoise();
    const stream = this.streams.get(id);
    let code: number = H2_ERROR.protocol;
    if (end - start !== 5) code = H2_ERROR.frameSize;
    else if ((payload.readUInt32BE(start) & 0x7fffffff) !== id) return;
    if (stream === undefined) this.writer.reset(id, code);
    else this.offend(stream, code);
  }
}
