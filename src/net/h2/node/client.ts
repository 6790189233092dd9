import type { ClientHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { openSocket } from "../open-socket.ts";
import { type ClientHandler, refusedStream } from "../refused-stream.ts";
import {
  CONNECT_TIMEOUT_MS,
  CONNECTION_WINDOW_BYTES,
  HEADER_FIELDS_MAX,
  SESSION_MEMORY_MB,
  SETTINGS_ENTRIES_MAX,
  STREAMS_PER_CONNECTION_MAX,
  type ResolvedTransportOptions,
  resolveTransportOptions,
} from "../limits.ts";
import type { RequestHead, TransportClient, TransportClientOptions, TransportStream } from "../transport.ts";
import { http2 } from "./http2.ts";
import { Keepalive, type KeptConnection } from "./keepalive.ts";
import { NodeStream, type StreamConnection } from "./stream.ts";

/** One connection and its streams; used until it is lost, says GOAWAY or runs out of stream ids. */
class ClientConnection implements StreamConnection, KeptConnection {
  lost = false;
  opened = 0;
  readonly session: ClientHttp2Session;
  private readonly streams = new Map<NodeStream, ClientHandler>();
  private readonly keepalive: Keepalive | undefined;
  private connected = false;
  private error: Error | undefined;

  constructor(authority: string, socket: Socket, options: ResolvedTransportOptions) {
    const deadline = setTimeout(() => {
      socket.destroy(new Error(`no connection to ${authority} within ${CONNECT_TIMEOUT_MS} ms`));
    }, CONNECT_TIMEOUT_MS);
    // Before the session's own listeners, which close the streams.
    socket.on("error", (error) => {
      this.error ??= error;
      this.gone();
    });
    socket.once("close", () => {
      clearTimeout(deadline);
      this.gone();
    });
    this.session = http2().connect("http://localhost", { ...sessionOptions(options), createConnection: () => socket });
    this.session.on("error", (error) => {
      this.error ??= error;
    });
    this.session.once("close", () => this.gone());
    this.session.once("connect", () => {
      clearTimeout(deadline);
      this.connected = true;
      this.session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    });
    if (options.keepaliveMs > 0) {
      this.keepalive = new Keepalive(this, options.keepaliveMs, options.keepaliveTimeoutMs);
    }
  }

  get usable(): boolean {
    return !this.lost && !this.session.closed && !this.session.destroyed && this.opened < STREAMS_PER_CONNECTION_MAX;
  }

  open(head: RequestHead, endStream: boolean, handler: ClientHandler): TransportStream {
    const raw = [
      ":method",
      head.method,
      ":path",
      head.path,
      ":scheme",
      head.scheme,
      ":authority",
      head.authority,
      ...head.headers,
    ];
    const h2 = this.session.request(raw, { endStream });
    const stream = new NodeStream(h2, this);
    this.opened += 1;
    this.streams.set(stream, handler);
    stream.attachClient(handler);
    return stream;
  }

  streamClosed(stream: NodeStream): void {
    const handler = this.streams.get(stream);
    this.streams.delete(stream);
    if (this.lost && !this.connected)
      handler?.onConnectError?.(this.error ?? new Error("the connection was closed before it stood"));
  }

  get busy(): boolean {
    return this.streams.size > 0;
  }

  kill(): void {
    this.gone();
    this.session.destroy();
  }

  private gone(): void {
    if (this.lost) return;
    this.lost = true;
    this.keepalive?.stop();
    for (const stream of this.streams.keys()) stream.fail(-1);
  }
}

/** A client of one authority over `node:http2`: one connection at a time, made on first use and again after a loss. */
export class NodeTransportClient implements TransportClient {
  private readonly authority: string;
  private readonly options: ResolvedTransportOptions;
  private readonly makeSocket: () => Socket;
  private current: ClientConnection | undefined;
  private closed = false;

  constructor(authority: string, options: TransportClientOptions = {}) {
    this.authority = authority;
    this.options = resolveTransportOptions(options);
    this.makeSocket = options.connect ?? (() => openSocket(authority));
  }

  open(head: RequestHead, endStream: boolean, handler: ClientHandler): TransportStream {
    if (this.closed) return refusedStream(handler, new Error(`the client of ${this.authority} is closed`));
    try {
      return this.connection().open(head, endStream, handler);
    } catch (error) {
      return refusedStream(handler, error);
    }
  }

  private connection(): ClientConnection {
    const current = this.current;
    if (current?.usable === true) return current;
    current?.session.close();
    const next = new ClientConnection(this.authority, this.makeSocket(), this.options);
    this.current = next;
    return next;
  }

  async close(): Promise<void> {
    this.closed = true;
    const current = this.current;
    this.current = undefined;
    if (current === undefined || current.session.destroyed) return;
    await new Promise<void>((resolve) => {
      current.session.once("close", () => resolve());
      current.kill();
    });
  }
}

function sessionOptions(options: ResolvedTransportOptions): object {
  return {
    maxSessionMemory: SESSION_MEMORY_MB,
    maxHeaderListPairs: HEADER_FIELDS_MAX,
    maxSettings: SETTINGS_ENTRIES_MAX,
    strictSingleValueFields: false,
    settings: {
      initialWindowSize: options.streamWindowBytes,
      maxHeaderListSize: options.headerBytesMax,
      enablePush: false,
    },
  };
}
