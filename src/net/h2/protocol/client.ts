import { connect as connectSocket, type Socket } from "node:net";
import { splitAuthority } from "../authority.ts";
import {
  CONNECT_TIMEOUT_MS,
  PEER_STREAMS_ASSUMED,
  type ResolvedTransportOptions,
  resolveTransportOptions,
  STREAMS_PER_CONNECTION_MAX,
  WAITING_STREAMS_MAX,
} from "../limits.ts";
import {
  H2_ERROR,
  type RequestHead,
  type StreamHandler,
  type TransportClient,
  type TransportClientOptions,
  type TransportStream,
} from "../transport.ts";
import { Connection, type HpackTables } from "./connection.ts";
import { ConnectionError } from "./errors.ts";
import { PREFACE, SETTING } from "./frames.ts";
import type { DecodedHead } from "./hpack/decoder.ts";
import { H2Stream } from "./stream.ts";
import { Ticker } from "./ticker.ts";

type ClientHandler = StreamHandler & { onConnectError?(error: Error): void };

/** A stream that waits for its turn to be opened. */
interface WaitingStream {
  readonly stream: H2Stream;
  readonly head: RequestHead;
  readonly endStream: boolean;
}

/** One connection and its streams; used until it is lost, says GOAWAY or runs out of stream ids. */
class ClientConnection extends Connection {
  private readonly onEnd: (connection: ClientConnection) => void;
  private readonly handlers = new Map<H2Stream, ClientHandler>();
  private readonly waiting: WaitingStream[] = [];
  private readonly heads = new Set<number>();
  private connected = false;
  private nextId = 1;

  constructor(
    authority: string,
    socket: Socket,
    options: ResolvedTransportOptions,
    tables: HpackTables,
    onEnd: (connection: ClientConnection) => void,
  ) {
    super(socket, options, tables);
    this.onEnd = onEnd;
    this.peerStreamsMax = PEER_STREAMS_ASSUMED;
    const deadline = setTimeout(() => {
      socket.destroy(new Error(`no connection to ${authority} within ${CONNECT_TIMEOUT_MS} ms`));
    }, CONNECT_TIMEOUT_MS);
    socket.once("close", () => clearTimeout(deadline));
    const connected = (): void => {
      this.connected = true;
      clearTimeout(deadline);
    };
    if (socket.connecting || isHandshaking(socket)) {
      socket.once(isHandshaking(socket) ? "secureConnect" : "connect", connected);
    } else connected();
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

  open(head: RequestHead, endStream: boolean, handler: ClientHandler): TransportStream {
    const stream = new H2Stream(this, 0, handler, this.peerInitialWindow, this.options.streamWindowBytes);
    this.handlers.set(stream, handler);
    if (this.streams.size < this.peerStreamsMax && this.waiting.length === 0) {
      this.start({ stream, head, endStream });
    } else if (this.waiting.length < WAITING_STREAMS_MAX) {
      this.waiting.push({ stream, head, endStream });
    } else {
      stream.finishLater(H2_ERROR.refusedStream);
    }
    return stream;
  }

  /** No new streams; the connection ends with those that it has. */
  retire(): void {
    this.draining = true;
    this.endWhenIdle();
  }

  protected isIdle(id: number): boolean {
    return id >= this.nextId || id % 2 === 0;
  }

  protected expectsData(stream: H2Stream): boolean {
    return stream.headReceived;
  }

  protected lastPeerId(): number {
    return 0;
  }

  protected gotHead(id: number, stream: H2Stream | undefined, head: DecodedHead, endStream: boolean): void {
    if (stream === undefined) {
      if (this.isIdle(id)) throw new ConnectionError(H2_ERROR.protocol, `HEADERS on stream ${id}, which nobody opened`);
      if (!this.wasResetByUs(id)) this.strayFrame(id);
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
      if (endStream) this.offend(stream, H2_ERROR.protocol);
      return;
    }
    stream.headReceived = true;
    const bodyless = this.heads.has(id) || response.status === 204 || response.status === 304;
    stream.contentLength = bodyless ? -1 : head.contentLength;
    stream.handler.onHead?.(response, endStream);
    if (endStream && !stream.closed) this.endOf(stream);
  }

  protected gotGoaway(lastId: number, code: number): void {
    this.draining = true;
    // What the server has not looked at can be tried elsewhere; after an error it is over in any case.
    const refused = code === H2_ERROR.noError ? H2_ERROR.refusedStream : code;
    for (const stream of this.streams.values()) {
      if (stream.id > lastId) this.finishStream(stream, H2_ERROR.refusedStream);
    }
    for (const { stream } of this.waiting.splice(0)) this.finishStream(stream, refused);
    this.endWhenIdle();
  }

  protected override onSettings(): void {
    this.startWaiting();
  }

  protected onStreamGone(): void {
    this.startWaiting();
    this.endWhenIdle();
  }

  protected onGone(error: Error | undefined): void {
    const { connected } = this;
    for (const [stream, handler] of this.handlers) {
      if (!connected) handler.onConnectError?.(error ?? new Error("the connection was closed before it stood"));
      if (stream.id === 0) stream.finish(-1);
    }
    this.handlers.clear();
    this.waiting.length = 0;
    this.onEnd(this);
  }

  override finishStream(stream: H2Stream, code: number): void {
    this.handlers.delete(stream);
    this.heads.delete(stream.id);
    super.finishStream(stream, code);
  }

  override resetStream(stream: H2Stream, code: number, quietly: boolean): void {
    this.handlers.delete(stream);
    this.heads.delete(stream.id);
    const place = stream.id === 0 ? this.waiting.findIndex((one) => one.stream === stream) : -1;
    if (place !== -1) this.waiting.splice(place, 1);
    super.resetStream(stream, code, quietly);
  }

  private start({ stream, head, endStream }: WaitingStream): void {
    stream.id = this.nextId;
    this.nextId += 2;
    stream.sendWindow = this.peerInitialWindow;
    this.streams.set(stream.id, stream);
    if (head.method === "HEAD") this.heads.add(stream.id);
    if (!this.sendRequest(stream, head, endStream)) return;
    if (endStream) stream.localEnded = true;
    else this.scheduleStream(stream);
  }

  private startWaiting(): void {
    while (this.waiting.length > 0 && this.streams.size < this.peerStreamsMax && !this.draining && !this.lost) {
      this.start(this.waiting.shift() as WaitingStream);
    }
  }

  private endWhenIdle(): void {
    if (this.draining && this.streams.size === 0 && this.waiting.length === 0 && !this.lost) {
      this.farewell();
    }
  }
}

/** A client of one authority: one connection at a time, made on first use and again after a loss. */
export class H2Client implements TransportClient {
  private readonly authority: string;
  private readonly options: ResolvedTransportOptions;
  private readonly tables: HpackTables;
  private readonly makeSocket: () => Socket;
  private readonly connections = new Set<ClientConnection>();
  private readonly ticker: Ticker;
  private current: ClientConnection | undefined = undefined;
  private closed = false;

  constructor(authority: string, options: TransportClientOptions = {}, tables: HpackTables) {
    this.authority = authority;
    this.options = resolveTransportOptions(options);
    this.tables = tables;
    this.makeSocket = options.connect ?? (() => openSocket(authority));
    this.ticker = new Ticker(this.options, (elapsedMs) => {
      for (const connection of this.connections) connection.tick(elapsedMs);
    });
  }

  open(head: RequestHead, endStream: boolean, handler: ClientHandler): TransportStream {
    if (this.closed) return refuse(handler, new Error(`the client of ${this.authority} is closed`));
    try {
      return this.connection().open(head, endStream, handler);
    } catch (error) {
      return refuse(handler, error instanceof Error ? error : new Error(String(error)));
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
    if (current?.usable === true) return current;
    current?.retire();
    const next = new ClientConnection(this.authority, this.makeSocket(), this.options, this.tables, (connection) =>
      this.forget(connection),
    );
    this.current = next;
    this.connections.add(next);
    this.ticker.start();
    return next;
  }

  private forget(connection: ClientConnection): void {
    this.connections.delete(connection);
    if (this.current === connection) this.current = undefined;
    if (this.connections.size === 0) this.ticker.stop();
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

function openSocket(authority: string): Socket {
  if (authority.startsWith("unix:")) return connectSocket({ path: authority.slice(5).replace(/^\/\/(?=\/)/, "") });
  const { host, port } = splitAuthority(authority);
  return connectSocket({ host, port, noDelay: true });
}

function isHandshaking(socket: Socket): boolean {
  return "encrypted" in socket && "secureConnecting" in socket && socket.secureConnecting === true;
}

/** A stream that never was: its end is told after the caller has it in hand. */
function refuse(handler: ClientHandler, error: Error): TransportStream {
  queueMicrotask(() => {
    handler.onConnectError?.(error);
    handler.onClose(-1);
  });
  return DEAD_STREAM;
}

const DEAD_STREAM: TransportStream = {
  respond: () => undefined,
  send: () => true,
  sendTrailers: () => undefined,
  reset: () => undefined,
  hold: () => undefined,
  resume: () => undefined,
};
