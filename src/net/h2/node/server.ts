import type { ServerHttp2Session, ServerHttp2Stream, ServerOptions } from "node:http2";
import type { Socket } from "node:net";
import type { SpiffeId } from "../../../kit/spiffe-id.ts";
import {
  CONNECTION_WINDOW_BYTES,
  HEADER_FIELDS_MAX,
  INVALID_FRAMES_MAX,
  RESET_BURST,
  RESET_RATE_PER_S,
  SESSION_MEMORY_MB,
  SETTINGS_ENTRIES_MAX,
  type ResolvedTransportOptions,
  resolveTransportOptions,
} from "../limits.ts";
import { peerInfoOf } from "../peer-info.ts";
import type { AcceptStream, PeerInfo, TransportOptions, TransportServer } from "../transport.ts";
import { http2 } from "./http2.ts";
import { headerListBytes, requestHeadOf } from "./headers.ts";
import { Keepalive, type KeptConnection } from "./keepalive.ts";
import { NodeStream, type StreamConnection } from "./stream.ts";

/** One accepted connection. */
class ServerConnection implements StreamConnection, KeptConnection {
  lost = false;
  private open = 0;
  private reported = false;
  private readonly headerBytesMax: number;
  readonly session: ServerHttp2Session;
  private readonly owner: NodeTransportServer;
  private readonly peer: PeerInfo;
  private readonly keepalive: Keepalive | undefined;

  constructor(
    socket: Socket,
    peerId: SpiffeId | undefined,
    owner: NodeTransportServer,
    options: ResolvedTransportOptions,
  ) {
    this.owner = owner;
    this.headerBytesMax = options.headerBytesMax;
    this.peer = peerInfoOf(socket, peerId);
    // Before the session's own listeners, which close the streams.
    socket.once("error", () => {
      this.lost = true;
    });
    socket.once("close", () => this.gone());
    this.session = http2().performServerHandshake(socket, sessionOptions(options));
    this.session.on("error", () => undefined);
    this.session.on("stream", (stream, _headers, _flags, raw) => this.accept(stream, raw));
    this.session.once("close", () => this.gone());
    const handshake = setTimeout(() => socket.destroy(), options.handshakeTimeoutMs);
    socket.once("close", () => clearTimeout(handshake));
    this.session.once("remoteSettings", () => clearTimeout(handshake));
    this.session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    if (options.keepaliveMs > 0) {
      this.keepalive = new Keepalive(this, options.keepaliveMs, options.keepaliveTimeoutMs);
    }
  }

  private accept(h2: ServerHttp2Stream, raw: readonly string[]): void {
    // Until the peer has acknowledged our SETTINGS, node:http2 enforces its own, larger limit.
    if (headerListBytes(raw) > this.headerBytesMax) {
      h2.on("error", () => undefined);
      h2.respond([":status", "431"], { endStream: true });
      h2.resume();
      return;
    }
    const stream = new NodeStream(h2, this);
    this.open += 1;
    stream.attach(this.owner.acceptStream(stream, requestHeadOf(raw), this.peer));
  }

  get busy(): boolean {
    return this.open > 0;
  }

  kill(): void {
    this.lost = true;
    this.session.destroy();
  }

  private gone(): void {
    this.lost = true;
    if (this.reported) return;
    this.reported = true;
    this.keepalive?.stop();
    this.owner.closed(this);
  }

  streamClosed(): void {
    this.open -= 1;
  }
}

/** Serves HTTP/2 through `node:http2` on sockets that a listener hands over. */
export class NodeTransportServer implements TransportServer {
  readonly acceptStream: AcceptStream;
  private readonly options: ResolvedTransportOptions;
  private readonly connections = new Set<ServerConnection>();
  private onEmpty: (() => void) | undefined;
  private closing = false;

  constructor(accept: AcceptStream, options?: TransportOptions) {
    this.acceptStream = accept;
    this.options = resolveTransportOptions(options);
  }

  accept(socket: Socket, peerId?: SpiffeId): void {
    if (this.closing || socket.destroyed) {
      socket.destroy();
      return;
    }
    this.connections.add(new ServerConnection(socket, peerId, this, this.options));
  }

  renew(): void {
    for (const connection of this.connections) connection.session.close();
  }

  closed(connection: ServerConnection): void {
    this.connections.delete(connection);
    if (this.connections.size === 0) this.onEmpty?.();
  }

  async close(graceMs: number): Promise<void> {
    this.closing = true;
    if (this.connections.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.onEmpty = resolve;
    });
    for (const connection of this.connections) connection.session.close();
    const timer = setTimeout(() => {
      for (const connection of this.connections) connection.kill();
    }, graceMs);
    await empty;
    clearTimeout(timer);
  }
}

function sessionOptions(options: ResolvedTransportOptions): ServerOptions {
  return {
    maxSessionMemory: SESSION_MEMORY_MB,
    maxHeaderListPairs: HEADER_FIELDS_MAX,
    maxSettings: SETTINGS_ENTRIES_MAX,
    maxSessionInvalidFrames: INVALID_FRAMES_MAX,
    maxSessionRejectedStreams: INVALID_FRAMES_MAX,
    streamResetBurst: RESET_BURST,
    streamResetRate: RESET_RATE_PER_S,
    strictSingleValueFields: false,
    settings: {
      initialWindowSize: options.streamWindowBytes,
      maxConcurrentStreams: options.streamsMax,
      maxHeaderListSize: options.headerBytesMax,
      enablePush: false,
    },
  };
}
