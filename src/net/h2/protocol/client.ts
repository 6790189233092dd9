import type { Socket } from "node:net";
import { openSocket } from "../open-socket.ts";
import { type ClientHandler, refusedStream } from "../refused-stream.ts";
import {
  CONNECT_TIMEOUT_MS,
  PEER_STREAMS_ASSUMED,
  PEER_STREAMS_EXPECTED,
  type ResolvedTransportOptions,
  resolveTransportOptions,
  SPARE_CONNECTION_IDLE_MS,
  STREAMS_PER_CONNECTION_MAX,
  WAITING_STREAMS_MAX,
} from "../limits.ts";
import {
  H2_ERROR,
  type RequestHead,
  type TransportClient,
  type TransportClientOptions,
  type TransportStream,
} from "../transport.ts";
import { Connection } from "./connection.ts";
import { ConnectionError } from "./errors.ts";
import { PREFACE, SETTING } from "./frames.ts";
import type { DecodedHead } from "./hpack/decoder.ts";
import type { HpackTables } from "./hpack/tables.ts";
import { H2Stream } from "./stream.ts";
import { Ticker } from "./ticker.ts";

/** Connections for which a stream may wait one after the other, each of them lost before its turn came. */
const WAITS_MAX = 5;

/** A stream that waits for its turn to be opened. */
interface WaitingStream {
  readonly stream: H2Stream;
  readonly head: RequestHead;
  readonly endStream: boolean;
  readonly handler: ClientHandler;
  waits: number;
}

/** What a connection needs of its client. */
interface ConnectionOwner {
  ended(connection: ClientConnection): void;
  /** The connection can open these no more; their server has heard nothing of them. */
  reopen(waiting: readonly WaitingStream[]): void;
  /** The server finds us noisy. */
  calm(): void;
}

/** One connection and its streams; used until it is lost, says GOAWAY or runs out of stream ids. */
class ClientConnection extends Connection {
  private readonly owner: ConnectionOwner;
  /** Of streams that began before the connection stood. */
  private readonly handlers = new Map<H2Stream, ClientHandler>();
  private readonly waiting: WaitingStream[] = [];
  private readonly heads = new Set<number>();
  private connected = false;
  private settingsCame = false;
  private idleMs = 0;
  private nextId = 1;

  constructor(
    authority: string,
    socket: Socket,
    options: ResolvedTransportOptions,
    tables: HpackTables,
    owner: ConnectionOwner,
  ) {
    super(socket, options, tables);
    this.owner = owner;
    this.peerSettings.streamsMax = PEER_STREAMS_ASSUMED;
    const deadline = setTimeout(() => {
      socket.destroy(new Error(`no connection to ${authority} within ${CONNECT_TIMEOUT_MS} ms`));
    }, CONNECT_TIMEOUT_MS);
    socket.once("close", () => clearTimeout(deadline));
    const connected = (): void => {
      this.connected = true;
      this.handlers.clear();
      clearTimeout(deadline);
    };
    if (socket.connecting || isHandshaking(socket)) {
      socket.once(isHandshaking(socket) ? "secureConnect" : "connect", connected);
    } else if (!socket.destroyed) connected();
    const preface = Buffer.from(PREFACE, "latin1");
    this.output.copy(preface, 0, preface.length);
    this.sendSettings([
      [SETTING.enablePush, 0],
      [SETTING.initialWindowSize, options.streamWindowBytes],
      [SETTING.maxHeaderListSize, options.headerBytesMax],
    ]);
    this.output.schedule();
  }

  get usable(): boolean {
    return !this.lost && !this.draining && this.nextId < STREAMS_PER_CONNECTION_MAX * 2;
  }

  /** Another stream would wait for one of those that it has. */
  get full(): boolean {
    const room = this.settingsCame ? this.peerSettings.streamsMax : PEER_STREAMS_EXPECTED;
    return this.streams.size + this.waiting.length >= room;
  }

  /** Retires a connection that nobody has needed for some time. */
  passIdle(elapsedMs: number): void {
    this.idleMs = this.streams.size + this.waiting.length === 0 ? this.idleMs + elapsedMs : 0;
    if (this.idleMs >= SPARE_CONNECTION_IDLE_MS) this.retire();
  }

  open(head: RequestHead, endStream: boolean, handler: ClientHandler): TransportStream {
    const stream = new H2Stream(this, 0, handler, this.peerSettings.initialWindow, this.options.streamWindowBytes);
    this.enter({ stream, head, endStream, handler, waits: 0 });
    return stream;
  }

  /** Takes over a stream that waited at another connection in vain. */
  adopt(one: WaitingStream): void {
    one.waits += 1;
    one.stream.moveTo(this);
    this.enter(one);
  }

  private enter(one: WaitingStream): void {
    if (!this.connected) this.handlers.set(one.stream, one.handler);
    if (this.streams.size < this.peerSettings.streamsMax && this.waiting.length === 0) this.start(one);
    else if (this.waiting.length < WAITING_STREAMS_MAX) this.waiting.push(one);
    else {
      this.handlers.delete(one.stream);
      one.stream.finishLater(H2_ERROR.refusedStream);
    }
  }

  /** No new streams; the connection ends with those that it has. */
  retire(): void {
    this.draining = true;
    this.endWhenIdle();
  }

  isIdle(id: number): boolean {
    return id >= this.nextId || id % 2 === 0;
  }

  expectsData(stream: H2Stream): boolean {
    return stream.headReceived;
  }

  protected lastPeerId(): number {
    return 0;
  }

  protected gotHead(id: number, stream: H2Stream | undefined, head: DecodedHead, endStream: boolean): void {
    if (stream === undefined) {
      if (this.isIdle(id)) throw new ConnectionError(H2_ERROR.protocol, `HEADERS on stream ${id}, which nobody opened`);
      if (this.resetByUs.has(id)) this.offences.countNoise();
      else this.strayFrame(id);
      return;
    }
    if (stream.headReceived) {
      this.gotTrailers(stream, head, endStream);
      return;
    }
    const { response } = head;
    if (response === undefined || head.fault !== "") {
      this.offend(stream, H2_ERROR.protocol);
      return;
    }
    if (response.status < 200) {
      // Informational: the response itself is still to come.
      this.offences.countNoise();
      if (endStream) this.offend(stream, H2_ERROR.protocol);
      return;
    }
    stream.headReceived = true;
    const bodyless = this.heads.has(id) || response.status === 204 || response.status === 304;
    stream.contentLength = bodyless ? -1 : head.contentLength;
    stream.handler.onHead?.(response, endStream);
    if (endStream && !stream.closed) this.endOf(stream);
  }

  /** A server may say that it needs no more of a request that it has answered (RFC 9113 section 8.1). */
  protected gotStreamReset(stream: H2Stream, code: number): void {
    this.finishStream(stream, code === H2_ERROR.noError && !stream.remoteEnded ? H2_ERROR.cancel : code);
  }

  protected gotGoaway(lastId: number, code: number): void {
    this.draining = true;
    if (code === H2_ERROR.enhanceYourCalm) this.owner.calm();
    // What the server has not looked at can be tried elsewhere.
    for (const stream of this.streams.all()) {
      if (stream.id > lastId) this.finishStream(stream, H2_ERROR.refusedStream);
    }
    this.passOn();
    this.endWhenIdle();
  }

  /** A stream whose head never went out is unknown to the server: it must not be reset on the wire. */
  protected override onUnsendable(stream: H2Stream): void {
    this.streams.delete(stream);
    stream.id = 0;
  }

  override unopenedBytes(): number {
    return this.waiting.reduce((sum, { stream }) => sum + stream.queuedBytes, 0);
  }

  protected override onSettings(): void {
    this.settingsCame = true;
    this.startWaiting();
  }

  protected onStreamGone(): void {
    this.startWaiting();
    this.endWhenIdle();
  }

  protected onGone(error: Error | undefined): void {
    const { connected } = this;
    this.owner.ended(this);
    if (connected) this.passOn();
    for (const [stream, handler] of this.handlers) {
      if (!connected) handler.onConnectError?.(error ?? new Error("the connection was closed before it stood"));
      if (stream.id === 0) stream.finish(-1);
    }
    this.handlers.clear();
    this.waiting.length = 0;
  }

  private passOn(): void {
    const movable = this.waiting.filter(({ waits }) => waits < WAITS_MAX);
    const stranded = this.waiting.filter(({ waits }) => waits >= WAITS_MAX);
    this.waiting.length = 0;
    for (const { stream } of movable) this.handlers.delete(stream);
    for (const { stream } of stranded) this.finishStream(stream, H2_ERROR.refusedStream);
    if (movable.length > 0) this.owner.reopen(movable);
  }

  override finishStream(stream: H2Stream, code: number): void {
    if (!this.connected) this.handlers.delete(stream);
    if (this.heads.size > 0) this.heads.delete(stream.id);
    super.finishStream(stream, code);
  }

  override resetStream(stream: H2Stream, code: number, quietly: boolean): void {
    if (!this.connected) this.handlers.delete(stream);
    if (this.heads.size > 0) this.heads.delete(stream.id);
    const place = stream.id === 0 ? this.waiting.findIndex((one) => one.stream === stream) : -1;
    if (place !== -1) this.waiting.splice(place, 1);
    super.resetStream(stream, code, quietly);
  }

  private start({ stream, head, endStream }: WaitingStream): void {
    stream.id = this.nextId;
    this.nextId += 2;
    stream.sendWindow = this.peerSettings.initialWindow;
    this.streams.add(stream);
    if (head.method === "HEAD") this.heads.add(stream.id);
    if (!this.sendRequest(stream, head, endStream)) return;
    if (endStream) stream.localEnded = true;
    else this.turns.schedule(stream);
  }

  private startWaiting(): void {
    while (
      this.waiting.length > 0 &&
      this.streams.size < this.peerSettings.streamsMax &&
      !this.draining &&
      !this.lost
    ) {
      this.start(this.waiting.shift() as WaitingStream);
    }
  }

  private endWhenIdle(): void {
    if (this.draining && this.streams.size === 0 && this.waiting.length === 0 && !this.lost) {
      this.farewell.begin(true);
    }
  }
}

/**
 * A client of one authority: one connection at a time, made on first use and again after a loss. Where more are allowed
 * another is opened when those that there are have as many streams as their peer lets them.
 */
export class H2Client implements TransportClient, ConnectionOwner {
  private readonly authority: string;
  private options: ResolvedTransportOptions;
  private readonly tables: HpackTables;
  private readonly makeSocket: () => Socket;
  private readonly connectionsMax: number;
  private readonly connections = new Set<ClientConnection>();
  private readonly ticker: Ticker;
  private current: ClientConnection | undefined = undefined;
  private closed = false;

  constructor(authority: string, options: TransportClientOptions = {}, tables: HpackTables) {
    this.authority = authority;
    this.options = resolveTransportOptions(options);
    this.tables = tables;
    this.makeSocket = options.connect ?? (() => openSocket(authority));
    this.connectionsMax = options.connectionsMax ?? 1;
    this.ticker = new Ticker(this.options, (elapsedMs) => {
      for (const connection of this.connections) {
        connection.tick(elapsedMs);
        if (connection !== this.current) connection.passIdle(elapsedMs);
      }
    });
  }

  open(head: RequestHead, endStream: boolean, handler: ClientHandler): TransportStream {
    if (this.closed) return refusedStream(handler, new Error(`the client of ${this.authority} is closed`));
    try {
      return this.connection().open(head, endStream, handler);
    } catch (error) {
      return refusedStream(handler, error);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    this.current = undefined;
    this.ticker.stop();
    await Promise.all([...this.connections].map((connection) => ended(connection)));
  }

  private connection(): ClientConnection {
    const { current } = this;
    if (current?.usable === true) return this.connectionsMax > 1 && current.full ? this.another(current) : current;
    current?.retire();
    this.current = this.connect();
    return this.current;
  }

  private another(full: ClientConnection): ClientConnection {
    for (const connection of this.connections) if (connection.usable && !connection.full) return connection;
    return this.connections.size < this.connectionsMax ? this.connect() : full;
  }

  private connect(): ClientConnection {
    const socket = this.makeSocket();
    // It would tell us nothing any more.
    if (socket.closed) throw socket.errored ?? new Error(`the socket for ${this.authority} is closed`);
    const next = new ClientConnection(this.authority, socket, this.options, this.tables, this);
    this.connections.add(next);
    this.ticker.start();
    return next;
  }

  ended(connection: ClientConnection): void {
    this.connections.delete(connection);
    if (this.current === connection) this.current = undefined;
    if (this.connections.size === 0) this.ticker.stop();
  }

  reopen(waiting: readonly WaitingStream[]): void {
    for (const one of waiting) {
      try {
        if (this.closed) throw new Error(`the client of ${this.authority} is closed`);
        this.connection().adopt(one);
      } catch (error) {
        one.handler.onConnectError?.(error instanceof Error ? error : new Error(String(error)));
        one.stream.finishLater(-1);
      }
    }
  }

  /** As grpc-go does: a server that finds our PINGs too many gets half as many on the next connection. */
  calm(): void {
    this.options = { ...this.options, keepaliveMs: this.options.keepaliveMs * 2 };
  }
}

async function ended(connection: ClientConnection): Promise<void> {
  const { socket } = connection;
  const over = new Promise<void>((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
  connection.kill();
  await over;
}

function isHandshaking(socket: Socket): boolean {
  return "encrypted" in socket && "secureConnecting" in socket && socket.secureConnecting === true;
}
