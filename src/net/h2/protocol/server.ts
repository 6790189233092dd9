import type { Socket } from "node:net";
import type { SpiffeId } from "../../../kit/spiffe-id.ts";
import { type ResolvedTransportOptions, resolveTransportOptions, SERVER_KEEPALIVE_MS } from "../limits.ts";
import { peerInfoOf } from "../peer-info.ts";
import {
  type AcceptStream,
  H2_ERROR,
  type PeerInfo,
  type StreamHandler,
  type TransportOptions,
  type TransportServer,
} from "../transport.ts";
import { Connection } from "./connection.ts";
import { ConnectionError } from "./errors.ts";
import { PREFACE, SETTING, WINDOW_BYTES_LIMIT } from "./frames.ts";
import type { DecodedHead } from "./hpack/decoder.ts";
import type { HpackTables } from "./hpack/tables.ts";
import { readLatin1 } from "./latin1.ts";
import { H2Stream } from "./stream.ts";
import { Ticker } from "./ticker.ts";

const HEAD_TOO_LARGE = { status: 431, headers: [] } as const;
/** A stream that has lived so many ticks of its connection is no part of a rapid reset. */
const LIVED_TICKS = 2;
/** How long a peer may take to answer the PING behind our first GOAWAY. */
const DRAIN_PING_MS = 1_000;

/** One accepted connection. */
class ServerConnection extends Connection {
  private readonly owner: H2Server;
  private readonly peer: PeerInfo;
  private lastId = 0;
  private prefaceRead = 0;
  private finalGoaway = false;

  constructor(
    socket: Socket,
    peerId: SpiffeId | undefined,
    owner: H2Server,
    options: ResolvedTransportOptions,
    tables: HpackTables,
  ) {
    super(socket, options, tables);
    this.owner = owner;
    this.peer = peerInfoOf(socket, peerId);
    this.sendSettings([
      [SETTING.maxConcurrentStreams, options.streamsMax],
      [SETTING.initialWindowSize, options.streamWindowBytes],
      [SETTING.maxHeaderListSize, options.headerBytesMax],
    ]);
    this.output.schedule();
  }

  /**
   * Lets the streams that are under way end, and those that the peer opens before it knows: a GOAWAY that refuses nothing,
   * a PING, and with its answer the GOAWAY that says which stream was the last (RFC 9113 section 6.8).
   */
  drain(): void {
    if (this.lost || this.draining) return;
    this.draining = true;
    this.writer.goaway(WINDOW_BYTES_LIMIT, H2_ERROR.noError, "");
    const timer = setTimeout(() => this.refuseFurther(), DRAIN_PING_MS);
    this.acknowledgements.ping(() => {
      clearTimeout(timer);
      this.refuseFurther();
    });
  }

  protected override readPreface(chunk: Buffer): Buffer | undefined {
    if (this.prefaceRead === PREFACE.length) return chunk;
    const part = Math.min(PREFACE.length - this.prefaceRead, chunk.length);
    if (readLatin1(chunk, 0, part) !== PREFACE.slice(this.prefaceRead, this.prefaceRead + part)) {
      throw new ConnectionError(H2_ERROR.protocol, "this is not HTTP/2");
    }
    this.prefaceRead += part;
    return part === chunk.length ? undefined : chunk.subarray(part);
  }

  isIdle(id: number): boolean {
    return id > this.lastId || id % 2 === 0;
  }

  expectsData(): boolean {
    return true;
  }

  protected lastPeerId(): number {
    return this.lastId;
  }

  protected gotHead(id: number, stream: H2Stream | undefined, head: DecodedHead, endStream: boolean): void {
    if (stream !== undefined) {
      this.gotTrailers(stream, head, endStream);
      return;
    }
    if (id % 2 === 0) throw new ConnectionError(H2_ERROR.protocol, `a client's stream has the even id ${id}`);
    if (id <= this.lastId) {
      if (this.resetByUs.has(id)) {
        this.offences.countNoise();
        return;
      }
      throw new ConnectionError(H2_ERROR.streamClosed, `HEADERS on stream ${id}, which is over`);
    }
    this.lastId = id;
    if (this.finalGoaway) {
      this.offences.countNoise();
      return;
    }
    if (this.streams.size >= this.options.streamsMax) {
      this.refuse(id, H2_ERROR.refusedStream);
      return;
    }
    this.openStream(id, head, endStream);
  }

  /** Never a clean end: the client had its answer still to come. Streams that have lived a while may be given up freely. */
  protected gotStreamReset(stream: H2Stream, code: number): void {
    this.finishStream(stream, code === H2_ERROR.noError ? H2_ERROR.cancel : code);
    if (this.ticks - stream.openedAtTick < LIVED_TICKS) this.offences.countReset(stream.headBytes);
  }

  protected gotGoaway(): void {
    // The client opens no more streams; those that it has go on.
  }

  protected onGone(): void {
    this.owner.closed(this);
  }

  protected onStreamGone(): void {
    if (this.finalGoaway && this.streams.size === 0) this.farewell.begin(true);
  }

  private openStream(id: number, head: DecodedHead, endStream: boolean): void {
    const request = head.request;
    if (head.fault === "tooLarge") {
      const stream = this.add(id, NOBODY);
      stream.respond(HEAD_TOO_LARGE, true);
      this.resetStream(stream, H2_ERROR.noError, false);
      return;
    }
    if (request === undefined || head.fault !== "" || (endStream && head.contentLength > 0)) {
      this.refuse(id, H2_ERROR.protocol);
      return;
    }
    const stream = this.add(id, NOBODY);
    stream.contentLength = head.contentLength;
    stream.handler = this.owner.acceptStream(stream, request, this.peer);
    if (endStream && !stream.closed) stream.gotEnd();
  }

  private add(id: number, handler: StreamHandler): H2Stream {
    const stream = new H2Stream(this, id, handler, this.peerSettings.initialWindow, this.options.streamWindowBytes);
    stream.openedAtTick = this.ticks;
    stream.headBytes = this.blocks.bytes;
    this.streams.add(stream);
    return stream;
  }

  private refuse(id: number, code: number): void {
    this.writer.reset(id, code);
    this.resetByUs.add(id, this.options.streamWindowBytes);
    this.offences.countReset(this.blocks.bytes);
  }

  private refuseFurther(): void {
    if (this.lost || this.finalGoaway) return;
    this.finalGoaway = true;
    this.writer.goaway(this.lastId, H2_ERROR.noError, "");
    if (this.streams.size === 0) this.farewell.begin(true);
  }
}

/** Serves HTTP/2 on sockets that a listener hands over. */
export class H2Server implements TransportServer {
  readonly acceptStream: AcceptStream;
  private readonly options: ResolvedTransportOptions;
  private readonly tables: HpackTables;
  private readonly connections = new Set<ServerConnection>();
  private readonly ticker: Ticker;
  private onEmpty: (() => void) | undefined = undefined;
  private closing = false;

  constructor(accept: AcceptStream, options: TransportOptions | undefined, tables: HpackTables) {
    this.acceptStream = accept;
    this.options = resolveTransportOptions({ keepaliveMs: SERVER_KEEPALIVE_MS, ...options });
    this.tables = tables;
    this.ticker = new Ticker(this.options, (elapsedMs) => {
      for (const connection of this.connections) connection.tick(elapsedMs);
    });
  }

  accept(socket: Socket, peerId?: SpiffeId): void {
    if (this.closing || socket.destroyed) {
      socket.destroy();
      return;
    }
    this.connections.add(new ServerConnection(socket, peerId, this, this.options, this.tables));
    this.ticker.start();
  }

  renew(): void {
    for (const connection of this.connections) connection.drain();
  }

  closed(connection: ServerConnection): void {
    this.connections.delete(connection);
    if (this.connections.size > 0) return;
    this.ticker.stop();
    this.onEmpty?.();
  }

  async close(graceMs: number): Promise<void> {
    this.closing = true;
    if (this.connections.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.onEmpty = resolve;
    });
    for (const connection of this.connections) connection.drain();
    const timer = setTimeout(() => {
      for (const connection of this.connections) connection.kill();
    }, graceMs);
    await empty;
    clearTimeout(timer);
  }
}

/** Has a stream while its owner decides who takes it. */
const NOBODY: StreamHandler = {
  onData() {},
  onEnd() {},
  onClose() {},
};
