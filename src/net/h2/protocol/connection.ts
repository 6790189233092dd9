import type { Socket } from "node:net";
import type { HeaderList } from "../../http/types.ts";
import {
  CONNECTION_WINDOW_BYTES,
  CONTINUATIONS_MAX,
  FAREWELL_MS,
  HEADER_FIELDS_MAX,
  HELD_BYTES_MAX,
  NOISE_BURST,
  NOISE_RATE_PER_S,
  OUTPUT_BACKLOG_BYTES_MAX,
  RESET_BURST,
  RESET_MEMORY,
  RESET_RATE_PER_S,
  type ResolvedTransportOptions,
  SETTINGS_ENTRIES_MAX,
} from "../limits.ts";
import { H2_ERROR, type RequestHead, type ResponseHead } from "../transport.ts";
import { Budget } from "./budget.ts";
import { ConnectionError } from "./errors.ts";
import { type FrameHandler, FrameReader } from "./frame-reader.ts";
import {
  FLAG,
  FRAME,
  FRAME_PAYLOAD_BYTES,
  FRAME_PAYLOAD_BYTES_LIMIT,
  SETTING,
  WINDOW_BYTES_DEFAULT,
  WINDOW_BYTES_LIMIT,
} from "./frames.ts";
import { type DecodedHead, HpackDecoder } from "./hpack/decoder.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import type { HuffmanDecoder } from "./hpack/huffman.ts";
import { Output } from "./output.ts";
import type { H2Stream } from "./stream.ts";

const HEADER_TABLE_BYTES = 4096;
/** Bytes of one stream that go out before it is another's turn. */
const QUANTUM_BYTES = FRAME_PAYLOAD_BYTES;
/** What DATA of this many bytes is worth as useful work. */
const WORK_UNIT_BYTES = 512;
const PING_BYTES = 8;

/** Tables that all connections share; made once by the transport. */
export interface HpackTables {
  readonly huffman: HuffmanDecoder;
  readonly staticIndex: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** What both ends of a connection do alike: frames, windows, settings, limits (RFC 9113). */
export abstract class Connection implements FrameHandler {
  /** The socket is gone, or all has been said. */
  lost = false;
  readonly socket: Socket;
  protected readonly options: ResolvedTransportOptions;
  protected readonly output: Output;
  protected readonly encoder: HpackEncoder;
  protected readonly streams = new Map<number, H2Stream>();
  /** Streams the peer lets us open at a time. */
  protected peerStreamsMax = Number.POSITIVE_INFINITY;
  protected peerInitialWindow = WINDOW_BYTES_DEFAULT;
  protected settingsReceived = false;
  /** No new streams: either end has said GOAWAY. */
  protected draining = false;
  /** Resets and other offences of the peer that cost us a stream each. */
  protected readonly resets = new Budget(RESET_BURST, RESET_RATE_PER_S);
  private readonly noise = new Budget(NOISE_BURST, NOISE_RATE_PER_S);
  private readonly reader: FrameReader;
  private readonly decoder: HpackDecoder;
  private readonly resetByUs = new Set<number>();
  private sendWindow = WINDOW_BYTES_DEFAULT;
  private receiveWindow = WINDOW_BYTES_DEFAULT;
  private unacknowledged = 0;
  private heldBytes = 0;
  /** Of the held bytes, those for which the connection's window was not refilled. */
  private debt = 0;
  private peerFrameBytes = FRAME_PAYLOAD_BYTES;
  private readonly sendable: H2Stream[] = [];
  private pumping = false;
  /** The stream of the DATA frame that is being read; undefined: nobody takes it. */
  private dataStream: H2Stream | undefined = undefined;
  private dataLeft = 0;
  private dataLength = 0;
  /** A header block of several frames: its stream, its first flags and what has come of it. */
  private blockId = 0;
  private blockFlags = 0;
  private blockParts: Buffer[] = [];
  private blockBytes = 0;
  private heard = false;
  private progressed = false;
  private silentMs = 0;
  private stalledMs = 0;
  private ageMs = 0;
  private pinged = false;
  private onPingAnswer: (() => void) | undefined = undefined;

  constructor(socket: Socket, options: ResolvedTransportOptions, tables: HpackTables) {
    this.socket = socket;
    this.options = options;
    this.output = new Output(socket, () => this.pump());
    this.encoder = new HpackEncoder(tables.staticIndex);
    this.decoder = new HpackDecoder(
      { tableBytesMax: HEADER_TABLE_BYTES, headerBytesMax: options.headerBytesMax, fieldsMax: HEADER_FIELDS_MAX },
      tables.huffman,
    );
    this.reader = new FrameReader(this);
    socket.setNoDelay(true);
    socket.on("error", (error) => this.gone(error));
    socket.on("close", () => this.gone());
    socket.on("end", () => this.gone());
    socket.on("data", (chunk: Buffer) => this.read(chunk));
  }

  get busy(): boolean {
    return this.streams.size > 0;
  }

  /** Called by the owner about every second. */
  tick(elapsedMs: number): void {
    if (this.lost) return;
    this.ageMs += elapsedMs;
    const seconds = elapsedMs / 1000;
    this.noise.earn(NOISE_RATE_PER_S * seconds);
    this.resets.earn(RESET_RATE_PER_S * seconds);
    if (!this.settingsReceived && this.ageMs >= this.options.handshakeTimeoutMs) {
      this.cutOff(H2_ERROR.settingsTimeout, `no SETTINGS within ${this.options.handshakeTimeoutMs} ms`);
      return;
    }
    if (!this.heard && !this.busy) this.output.rest();
    this.silentMs = this.heard ? 0 : this.silentMs + elapsedMs;
    this.heard = false;
    this.keepAlive();
    this.stalledMs = this.progressed || !this.waitsToSend() ? 0 : this.stalledMs + elapsedMs;
    this.progressed = false;
    if (this.stalledMs >= this.options.stallTimeoutMs) {
      this.cutOff(H2_ERROR.enhanceYourCalm, `no room to send for ${this.options.stallTimeoutMs} ms`);
    }
  }

  /** Ends the connection at once. */
  kill(): void {
    this.socket.destroy();
    this.gone();
  }

  canSend(stream: H2Stream, length: number): boolean {
    return (
      length <= this.sendWindow &&
      length <= stream.sendWindow &&
      length <= this.peerFrameBytes &&
      !this.output.full &&
      this.sendable.length === 0
    );
  }

  roomFor(stream: H2Stream): number {
    return this.output.full ? 0 : Math.min(this.sendWindow, stream.sendWindow, this.peerFrameBytes);
  }

  writeData(stream: H2Stream, data: Uint8Array, start: number, end: number, endStream: boolean): void {
    const length = end - start;
    this.sendWindow -= length;
    stream.sendWindow -= length;
    this.progressed = true;
    this.output.frameHeader(length, FRAME.data, endStream ? FLAG.endStream : 0, stream.id);
    if (length > 0) this.output.payload(length === data.length ? data : data.subarray(start, end));
    this.output.schedule();
  }

  /** @returns false when the stream was reset because its head cannot be sent */
  sendResponse(stream: H2Stream, head: ResponseHead, endStream: boolean): boolean {
    return this.sendBlock(stream, endStream, () => this.encoder.response(head.status, head.headers));
  }

  /** @returns false when the stream was reset because its trailers cannot be sent */
  sendTrailers(stream: H2Stream, trailers: HeaderList): boolean {
    return this.sendBlock(stream, true, () => this.encoder.trailers(trailers));
  }

  protected sendRequest(stream: H2Stream, head: RequestHead, endStream: boolean): boolean {
    return this.sendBlock(stream, endStream, () => this.encoder.request(head));
  }

  scheduleStream(stream: H2Stream): void {
    if (stream.scheduled || stream.id === 0) return;
    stream.scheduled = true;
    this.sendable.push(stream);
    this.pump();
  }

  /** Ends a stream with RST_STREAM; with `quietly` its handler hears of it after the caller has returned. */
  resetStream(stream: H2Stream, code: number, quietly: boolean): void {
    if (stream.closed) return;
    if (stream.id !== 0) {
      this.sendReset(stream.id, code);
      this.rememberReset(stream.id);
    }
    if (!quietly) {
      this.finishStream(stream, code);
      return;
    }
    this.forget(stream);
    stream.finishLater(code);
  }

  finishStream(stream: H2Stream, code: number): void {
    if (stream.closed) return;
    this.forget(stream);
    if (code === H2_ERROR.noError) {
      this.resets.earn(1);
      this.noise.earn(8);
    }
    stream.finish(code);
  }

  /** The handler has taken bytes of a stream: the peer gets credit when half a window is taken. */
  creditStream(stream: H2Stream, bytes: number): void {
    stream.consumed += bytes;
    if (stream.consumed * 2 < this.options.streamWindowBytes || stream.remoteEnded || stream.closed) return;
    stream.receiveWindow += stream.consumed;
    this.sendWindowUpdate(stream.id, stream.consumed);
    stream.consumed = 0;
  }

  creditConnection(bytes: number): void {
    this.unacknowledged += bytes;
    if (this.unacknowledged * 2 < CONNECTION_WINDOW_BYTES) return;
    this.receiveWindow += this.unacknowledged;
    this.sendWindowUpdate(0, this.unacknowledged);
    this.unacknowledged = 0;
  }

  /** Bytes are kept for a stream that is held. Others go on, up to a bound, as if they had been taken. */
  hold(bytes: number): void {
    this.heldBytes += bytes;
    if (this.heldBytes <= HELD_BYTES_MAX) this.creditConnection(bytes);
    else this.debt += bytes;
  }

  release(bytes: number): void {
    this.heldBytes -= bytes;
    const paid = Math.min(this.debt, bytes);
    this.debt -= paid;
    if (paid > 0) this.creditConnection(paid);
  }

  onDataStart(id: number, length: number): void {
    this.expectFrame(FRAME.data, id);
    if (id === 0) throw new ConnectionError(H2_ERROR.protocol, "DATA on stream 0");
    this.receiveWindow -= length;
    if (this.receiveWindow < 0) throw new ConnectionError(H2_ERROR.flowControl, "DATA beyond the connection's window");
    this.dataLength = length;
    this.dataLeft = length;
    const stream = this.streams.get(id);
    this.dataStream = stream;
    if (stream === undefined) {
      if (this.isIdle(id)) throw new ConnectionError(H2_ERROR.protocol, `DATA on idle stream ${id}`);
      this.strayFrame(id);
      return;
    }
    if (stream.remoteEnded || !this.expectsData(stream)) {
      this.dataStream = undefined;
      this.offend(stream, stream.remoteEnded ? H2_ERROR.streamClosed : H2_ERROR.protocol);
      return;
    }
    stream.receiveWindow -= length;
    if (stream.receiveWindow >= 0) return;
    this.dataStream = undefined;
    this.offend(stream, H2_ERROR.flowControl);
  }

  onDataChunk(_id: number, chunk: Buffer): void {
    const stream = this.dataStream;
    if (stream === undefined || stream.closed) return;
    this.dataLeft -= chunk.length;
    stream.received += chunk.length;
    if (stream.contentLength !== -1 && stream.received > stream.contentLength) {
      this.creditConnection(chunk.length);
      this.offend(stream, H2_ERROR.protocol);
      return;
    }
    stream.gotData(chunk);
  }

  onDataEnd(_id: number, endStream: boolean): void {
    if (this.dataLength === 0 && !endStream) this.makeNoise();
    else this.noise.earn(Math.min(2, this.dataLength / WORK_UNIT_BYTES));
    const stream = this.dataStream;
    this.dataStream = undefined;
    if (this.dataLeft > 0) {
      // Padding, and what came for nobody.
      this.creditConnection(this.dataLeft);
      if (stream !== undefined && !stream.closed) this.creditStream(stream, this.dataLeft);
    }
    if (endStream && stream !== undefined && !stream.closed) this.endOf(stream);
  }

  onFrame(type: number, flags: number, id: number, payload: Buffer, start: number, end: number): void {
    this.expectFrame(type, id);
    switch (type) {
      case FRAME.headers:
        this.gotHeaders(flags, id, payload, start, end);
        return;
      case FRAME.continuation:
        this.gotContinuation(flags, id, payload, start, end);
        return;
      case FRAME.windowUpdate:
        this.gotWindowUpdate(id, payload, start, end);
        return;
      case FRAME.settings:
        this.gotSettings(flags, id, payload, start, end);
        return;
      case FRAME.ping:
        this.gotPing(flags, id, payload, start, end);
        return;
      case FRAME.rstStream:
        this.gotReset(id, payload, start, end);
        return;
      case FRAME.goaway:
        this.checkGoaway(id, start, end);
        this.gotGoaway(payload.readUInt32BE(start) & 0x7fffffff, payload.readUInt32BE(start + 4));
        return;
      case FRAME.priority:
        this.gotPriority(id, payload, start, end);
        return;
      case FRAME.pushPromise:
        throw new ConnectionError(H2_ERROR.protocol, "PUSH_PROMISE, which nobody allowed");
      default:
        this.makeNoise();
    }
  }

  /** Whether a stream of this id has never been: neither opened nor skipped. */
  protected abstract isIdle(id: number): boolean;
  /** Whether DATA may come on the stream now. */
  protected abstract expectsData(stream: H2Stream): boolean;
  /** A whole header block for a stream that is open (undefined: none of this id is). */
  protected abstract gotHead(id: number, stream: H2Stream | undefined, head: DecodedHead, endStream: boolean): void;
  protected abstract gotGoaway(lastId: number, code: number): void;
  /** The connection has ended; streams have been told. */
  protected abstract onGone(error: Error | undefined): void;
  /** A stream has ended: there may be room for another, or nothing left to wait for. */
  protected abstract onStreamGone(): void;
  /** The last stream id of the peer's that we have looked at, for GOAWAY. */
  protected abstract lastPeerId(): number;

  /** What is read before the first frame. @returns the bytes that follow it */
  protected readPreface(chunk: Buffer): Buffer | undefined {
    return chunk;
  }

  protected sendSettings(entries: readonly (readonly [setting: number, value: number])[]): void {
    this.output.frameHeader(entries.length * 6, FRAME.settings, 0, 0);
    for (const [setting, value] of entries) {
      this.output.uint16(setting);
      this.output.uint32(value);
    }
    const grown = CONNECTION_WINDOW_BYTES - this.receiveWindow;
    this.receiveWindow = CONNECTION_WINDOW_BYTES;
    this.sendWindowUpdate(0, grown);
  }

  protected sendGoaway(lastId: number, code: number, reason: string): void {
    const text = Buffer.from(reason.slice(0, 200), "latin1");
    this.output.frameHeader(8 + text.length, FRAME.goaway, 0, 0);
    this.output.uint32(lastId);
    this.output.uint32(code);
    this.output.copy(text, 0, text.length);
    this.output.schedule();
  }

  protected sendReset(id: number, code: number): void {
    this.output.frameHeader(4, FRAME.rstStream, 0, id);
    this.output.uint32(code);
    this.output.schedule();
  }

  protected ping(onAnswer: (() => void) | undefined): void {
    this.onPingAnswer = onAnswer;
    this.output.frameHeader(PING_BYTES, FRAME.ping, 0, 0);
    this.output.uint32(0);
    this.output.uint32(1);
    this.output.schedule();
  }

  /** A stream's peer did what it must not: the stream is reset, and the offence counted. */
  protected offend(stream: H2Stream, code: number): void {
    this.resetStream(stream, code, false);
    this.countReset();
  }

  protected countReset(): void {
    if (!this.resets.spend(1)) throw new ConnectionError(H2_ERROR.enhanceYourCalm, "too many streams were reset");
  }

  /** What comes on a stream that is over: no offence where we have reset it, since the peer may not know yet. */
  protected strayFrame(id: number): void {
    if (this.resetByUs.has(id)) return;
    this.sendReset(id, H2_ERROR.streamClosed);
    this.makeNoise();
  }

  protected wasResetByUs(id: number): boolean {
    return this.resetByUs.has(id);
  }

  /** The peer's END_STREAM: its body must be as long as its head said. */
  protected endOf(stream: H2Stream): void {
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
    stream.handler.onTrailers?.(head.headers);
    if (!stream.closed) this.endOf(stream);
  }

  /** Ends the connection because of what the peer did, and says why. */
  protected cutOff(code: number, reason: string): void {
    if (this.lost) return;
    this.options.onCutOff?.({ code, reason, remoteAddress: this.socket.remoteAddress ?? "" });
    this.sendGoaway(this.lastPeerId(), code, reason);
    this.farewell();
    this.gone(new ConnectionError(code, reason));
  }

  /** Has the last bytes written, for a moment, and closes. */
  protected farewell(): void {
    const { socket } = this;
    this.output.flush();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), FAREWELL_MS);
    socket.once("close", () => clearTimeout(timer));
  }

  protected gone(error?: Error): void {
    if (this.lost) return;
    this.lost = true;
    this.output.drop();
    if (!this.socket.writableEnded) this.socket.destroy();
    const streams = [...this.streams.values()];
    this.streams.clear();
    this.sendable.length = 0;
    this.onGone(error);
    for (const stream of streams) stream.finish(-1);
  }

  private read(chunk: Buffer): void {
    if (this.lost) return;
    this.heard = true;
    try {
      const frames = this.readPreface(chunk);
      if (frames !== undefined) this.reader.push(frames);
    } catch (error) {
      if (!(error instanceof ConnectionError)) {
        this.kill();
        throw error;
      }
      this.cutOff(error.code, error.message);
    }
  }

  private keepAlive(): void {
    const { keepaliveMs, keepaliveTimeoutMs } = this.options;
    if (keepaliveMs === 0) return;
    if (this.silentMs === 0) this.pinged = false;
    if (this.pinged) {
      if (this.silentMs >= keepaliveTimeoutMs) this.kill();
    } else if (this.silentMs >= keepaliveMs && this.busy) {
      this.pinged = true;
      this.silentMs = 1;
      this.ping(this.onPingAnswer);
    }
  }

  private waitsToSend(): boolean {
    if (this.output.full) return true;
    for (const stream of this.streams.values()) if (stream.queuedBytes > 0) return true;
    return false;
  }

  private sendBlock(stream: H2Stream, endStream: boolean, encode: () => Buffer): boolean {
    let block: Buffer;
    try {
      block = encode();
    } catch {
      this.resetStream(stream, H2_ERROR.internal, true);
      return false;
    }
    const { output, peerFrameBytes } = this;
    const flags = endStream ? FLAG.endStream : 0;
    if (block.length <= peerFrameBytes) {
      output.frameHeader(block.length, FRAME.headers, flags | FLAG.endHeaders, stream.id);
      output.copy(block, 0, block.length);
    } else {
      for (let at = 0; at < block.length; at += peerFrameBytes) {
        const end = Math.min(at + peerFrameBytes, block.length);
        const last = end === block.length ? FLAG.endHeaders : 0;
        output.frameHeader(
          end - at,
          at === 0 ? FRAME.headers : FRAME.continuation,
          at === 0 ? flags | last : last,
          stream.id,
        );
        output.copy(block, at, end);
      }
    }
    output.schedule();
    return true;
  }

  private sendWindowUpdate(id: number, bytes: number): void {
    this.output.frameHeader(4, FRAME.windowUpdate, 0, id);
    this.output.uint32(bytes);
    this.output.schedule();
  }

  /** Lets streams send by turns, until the windows or the socket are full. */
  private pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    const { sendable } = this;
    let idle = 0;
    while (sendable.length > idle && this.sendWindow > 0 && !this.output.full) {
      const stream = sendable.shift() as H2Stream;
      if (stream.closed) {
        stream.scheduled = false;
        continue;
      }
      if (stream.pump(QUANTUM_BYTES)) {
        sendable.push(stream);
        idle = 0;
      } else if (stream.queuedBytes > 0 && stream.sendWindow > 0) {
        sendable.push(stream);
        idle += 1;
      } else {
        stream.scheduled = false;
      }
    }
    this.pumping = false;
    this.flushZeroLength();
  }

  /** Ends and trailers need no window. */
  private flushZeroLength(): void {
    const { sendable } = this;
    for (let i = 0; i < sendable.length; i += 1) {
      const stream = sendable[i] as H2Stream;
      if (stream.closed || stream.queuedBytes > 0) continue;
      sendable.splice(i, 1);
      i -= 1;
      stream.scheduled = false;
      stream.pump(QUANTUM_BYTES);
    }
  }

  private forget(stream: H2Stream): void {
    if (stream.id !== 0) this.streams.delete(stream.id);
    this.onStreamGone();
  }

  protected rememberReset(id: number): void {
    this.resetByUs.add(id);
    if (this.resetByUs.size <= RESET_MEMORY) return;
    for (const oldest of this.resetByUs) {
      this.resetByUs.delete(oldest);
      return;
    }
  }

  private makeNoise(): void {
    if (!this.noise.spend(1)) {
      throw new ConnectionError(H2_ERROR.enhanceYourCalm, "too many frames that do no work");
    }
    if (this.output.backlogBytes > OUTPUT_BACKLOG_BYTES_MAX) {
      throw new ConnectionError(H2_ERROR.enhanceYourCalm, "too much that the peer does not read");
    }
  }

  private expectFrame(type: number, id: number): void {
    if (!this.settingsReceived && type !== FRAME.settings) {
      throw new ConnectionError(H2_ERROR.protocol, "the first frame is not SETTINGS");
    }
    if (this.blockId !== 0 && (type !== FRAME.continuation || id !== this.blockId)) {
      throw new ConnectionError(H2_ERROR.protocol, "a frame in the middle of a header block");
    }
  }

  private gotHeaders(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    if (id === 0) throw new ConnectionError(H2_ERROR.protocol, "HEADERS on stream 0");
    let from = start;
    let to = end;
    if ((flags & FLAG.padded) !== 0) {
      if (from >= to) throw new ConnectionError(H2_ERROR.frameSize, "HEADERS too short for their padding");
      to -= payload[from] as number;
      from += 1;
      if (to < from) throw new ConnectionError(H2_ERROR.protocol, "padding longer than its frame");
    }
    if ((flags & FLAG.priority) !== 0) {
      if (to - from < 5) throw new ConnectionError(H2_ERROR.frameSize, "HEADERS too short for their priority");
      if ((payload.readUInt32BE(from) & 0x7fffffff) === id) this.blockFlags = SELF_DEPENDENT;
      from += 5;
    }
    const selfDependent = this.blockFlags === SELF_DEPENDENT;
    this.blockFlags = 0;
    if ((flags & FLAG.endHeaders) !== 0) {
      this.decodeBlock(id, (flags & FLAG.endStream) !== 0, selfDependent, payload, from, to);
      return;
    }
    this.blockId = id;
    this.blockFlags = (flags & FLAG.endStream) | (selfDependent ? SELF_DEPENDENT : 0);
    this.blockParts = [];
    this.blockBytes = 0;
    this.keepPart(payload, from, to);
  }

  private gotContinuation(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    if (this.blockId === 0) throw new ConnectionError(H2_ERROR.protocol, "CONTINUATION without a header block");
    this.keepPart(payload, start, end);
    if ((flags & FLAG.endHeaders) === 0) return;
    const block = Buffer.concat(this.blockParts, this.blockBytes);
    const { blockFlags } = this;
    this.blockId = 0;
    this.blockFlags = 0;
    this.blockParts = [];
    const endStream = (blockFlags & FLAG.endStream) !== 0;
    this.decodeBlock(id, endStream, (blockFlags & SELF_DEPENDENT) !== 0, block, 0, block.length);
  }

  private keepPart(payload: Buffer, start: number, end: number): void {
    this.blockBytes += end - start;
    if (
      this.blockParts.length > CONTINUATIONS_MAX ||
      this.blockBytes > this.options.headerBytesMax + FRAME_PAYLOAD_BYTES
    ) {
      throw new ConnectionError(H2_ERROR.enhanceYourCalm, "a header block of too many frames or bytes");
    }
    this.blockParts.push(Buffer.from(payload.subarray(start, end)));
  }

  private decodeBlock(
    id: number,
    endStream: boolean,
    selfDependent: boolean,
    block: Buffer,
    start: number,
    end: number,
  ): void {
    const head = this.decoder.decode(block, start, end);
    if (this.output.backlogBytes > OUTPUT_BACKLOG_BYTES_MAX) {
      throw new ConnectionError(H2_ERROR.enhanceYourCalm, "too much that the peer does not read");
    }
    // A stream that depends on itself (RFC 9113 section 5.3.1 keeps RFC 7540's rule) is as good as malformed.
    this.gotHead(id, this.streams.get(id), selfDependent ? { ...head, fault: "malformed" } : head, endStream);
  }

  private gotWindowUpdate(id: number, payload: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw new ConnectionError(H2_ERROR.frameSize, "WINDOW_UPDATE is not 4 bytes long");
    const bytes = payload.readUInt32BE(start) & 0x7fffffff;
    this.makeNoise();
    if (id === 0) {
      if (bytes === 0) throw new ConnectionError(H2_ERROR.protocol, "WINDOW_UPDATE of 0");
      this.sendWindow += bytes;
      if (this.sendWindow > WINDOW_BYTES_LIMIT) throw new ConnectionError(H2_ERROR.flowControl, "the window overflows");
      this.pump();
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
    this.widen(stream, bytes);
  }

  private widen(stream: H2Stream, bytes: number): void {
    stream.sendWindow += bytes;
    if (stream.sendWindow > WINDOW_BYTES_LIMIT) this.offend(stream, H2_ERROR.flowControl);
    else this.sendMore(stream);
  }

  private sendMore(stream: H2Stream): void {
    if (stream.queuedBytes > 0 && stream.sendWindow > 0) this.scheduleStream(stream);
  }

  private gotSettings(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    if (id !== 0) throw new ConnectionError(H2_ERROR.protocol, "SETTINGS on a stream");
    const length = end - start;
    if ((flags & FLAG.ack) !== 0) {
      if (length !== 0) throw new ConnectionError(H2_ERROR.frameSize, "an acknowledgement of SETTINGS with content");
      if (!this.settingsReceived) throw new ConnectionError(H2_ERROR.protocol, "the first frame is not SETTINGS");
      return;
    }
    if (length % 6 !== 0) throw new ConnectionError(H2_ERROR.frameSize, "SETTINGS of an odd length");
    if (length > SETTINGS_ENTRIES_MAX * 6) throw new ConnectionError(H2_ERROR.enhanceYourCalm, "too many SETTINGS");
    this.settingsReceived = true;
    this.makeNoise();
    for (let at = start; at < end; at += 6) this.apply(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    this.output.frameHeader(0, FRAME.settings, FLAG.ack, 0);
    this.output.schedule();
    // Only now what the new limits allow: the peer must first hear that we know them.
    for (const stream of this.streams.values()) this.sendMore(stream);
    this.onSettings();
  }

  /** The peer's limits have changed. */
  protected onSettings(): void {}

  private apply(setting: number, value: number): void {
    switch (setting) {
      case SETTING.headerTableSize:
        this.encoder.limitTable(value);
        return;
      case SETTING.enablePush:
        if (value > 1) throw new ConnectionError(H2_ERROR.protocol, "ENABLE_PUSH is neither 0 nor 1");
        return;
      case SETTING.maxConcurrentStreams:
        this.peerStreamsMax = value;
        return;
      case SETTING.initialWindowSize: {
        if (value > WINDOW_BYTES_LIMIT)
          throw new ConnectionError(H2_ERROR.flowControl, "INITIAL_WINDOW_SIZE is too large");
        const difference = value - this.peerInitialWindow;
        this.peerInitialWindow = value;
        for (const stream of this.streams.values()) {
          if (stream.sendWindow + difference > WINDOW_BYTES_LIMIT) {
            throw new ConnectionError(H2_ERROR.flowControl, "INITIAL_WINDOW_SIZE overflows a window");
          }
          stream.sendWindow += difference;
        }
        return;
      }
      case SETTING.maxFrameSize:
        if (value < FRAME_PAYLOAD_BYTES || value > FRAME_PAYLOAD_BYTES_LIMIT) {
          throw new ConnectionError(H2_ERROR.protocol, `MAX_FRAME_SIZE of ${value}`);
        }
        // Larger frames would only let one stream hold up the others for longer.
        return;
    }
  }

  private gotPing(flags: number, id: number, payload: Buffer, start: number, end: number): void {
    if (id !== 0) throw new ConnectionError(H2_ERROR.protocol, "PING on a stream");
    if (end - start !== PING_BYTES) throw new ConnectionError(H2_ERROR.frameSize, "PING is not 8 bytes long");
    if ((flags & FLAG.ack) !== 0) {
      const onAnswer = this.onPingAnswer;
      this.onPingAnswer = undefined;
      onAnswer?.();
      return;
    }
    this.makeNoise();
    this.output.frameHeader(PING_BYTES, FRAME.ping, FLAG.ack, 0);
    this.output.copy(payload, start, end);
    this.output.schedule();
  }

  private gotReset(id: number, payload: Buffer, start: number, end: number): void {
    if (id === 0) throw new ConnectionError(H2_ERROR.protocol, "RST_STREAM on stream 0");
    if (end - start !== 4) throw new ConnectionError(H2_ERROR.frameSize, "RST_STREAM is not 4 bytes long");
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (this.isIdle(id)) throw new ConnectionError(H2_ERROR.protocol, `RST_STREAM on idle stream ${id}`);
      this.makeNoise();
      return;
    }
    this.finishStream(stream, payload.readUInt32BE(start));
    this.countReset();
  }

  private checkGoaway(id: number, start: number, end: number): void {
    if (id !== 0) throw new ConnectionError(H2_ERROR.protocol, "GOAWAY on a stream");
    if (end - start < 8) throw new ConnectionError(H2_ERROR.frameSize, "GOAWAY is too short");
    this.makeNoise();
  }

  private gotPriority(id: number, payload: Buffer, start: number, end: number): void {
    if (id === 0) throw new ConnectionError(H2_ERROR.protocol, "PRIORITY on stream 0");
    this.makeNoise();
    const stream = this.streams.get(id);
    if (end - start !== 5) {
      if (stream === undefined) this.sendReset(id, H2_ERROR.frameSize);
      else this.offend(stream, H2_ERROR.frameSize);
      return;
    }
    if ((payload.readUInt32BE(start) & 0x7fffffff) !== id) return;
    if (stream === undefined) this.sendReset(id, H2_ERROR.protocol);
    else this.offend(stream, H2_ERROR.protocol);
  }
}

/** Beside the flags of a header block: its priority names its own stream. */
const SELF_DEPENDENT = 0x100;
