import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Server as TlsServer, TLSSocket } from "node:tls";
import type { SpiffeId } from "../../kit/spiffe-id.ts";
import type { TransportServer } from "../h2/transport.ts";
import { BodyWatch } from "./body-watch.ts";
import { ListenError } from "./errors.ts";
import { H1Exchange, type ExchangeOwner } from "./h1-exchange.ts";
import { runHandler } from "./h2-exchange.ts";
import { upgradeToH2c, wantsH2c } from "./h2c-upgrade.ts";
import {
  BODY_SILENCE_MS,
  CLOSE_POLL_MS,
  CONNECTIONS_MAX,
  HEADER_BYTES_MAX,
  HEADER_CHECK_INTERVAL_MS,
  HEADER_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  LISTEN_BACKLOG,
} from "./limits.ts";
import { sniff, type SniffedBy } from "./sniff.ts";
import type { HttpHandler } from "./types.ts";

/** Where to listen: a TCP address, port 0 for any free one, or the path of a unix socket. */
export type ListenAddress = { readonly host?: string | undefined; readonly port: number } | { readonly path: string };

/** Mutual TLS under one port, whose callers are known by their certificates. */
export interface MutualTls {
  /** Asks for certificates and refuses those that lead to no trust anchor; it does not listen itself. */
  readonly server: TlsServer;
  /** Who the peer is; undefined: nobody who may connect, and the connection is cut off. */
  identify(socket: TLSSocket): SpiffeId | undefined;
  /** Told when the certificates have changed: older connections shall end. @returns what ends it */
  onRenewal(told: () => void): () => void;
}

/** What is served on the port, and its limits; every limit has a default in `limits.ts`. */
export interface ListenerOptions {
  /** The HTTP/1.1 door; without it every connection goes to `h2`. */
  readonly http?: HttpHandler | undefined;
  /** HTTP/2 by prior knowledge; without it only HTTP/1.1 is spoken. Closed with the listener. */
  readonly h2?: TransportServer | undefined;
  /** Bytes of a request's head over HTTP/1.1; more is answered with 431. */
  readonly headerBytesMax?: number | undefined;
  /** Milliseconds for the first byte of a connection, and for the head of each HTTP/1.1 request (408). */
  readonly headerTimeoutMs?: number | undefined;
  /** Milliseconds an idle HTTP/1.1 connection stays open. */
  readonly keepAliveTimeoutMs?: number | undefined;
  readonly connectionsMax?: number | undefined;
  /** Milliseconds for which nothing may come of an HTTP/1.1 body that was begun. */
  readonly bodySilenceMs?: number | undefined;
  /**
   * Puts TLS around every connection; the protocol is then recognised inside. It does not listen itself, keeps its own
   * handshake timeout, and its certificate is exchanged with `setSecureContext`.
   */
  readonly secure?: TlsServer | undefined;
  /** In place of `secure`, for ports of HTTP/2 alone: every call carries who its caller has proved to be. */
  readonly mutualTls?: MutualTls | undefined;
}

/** An open port. */
export interface Listener {
  /** The TCP port, 0 for a unix socket. */
  readonly port: number;
  /** `host:port` or `unix:<path>`, as it was opened. */
  readonly address: string;
  /**
   * Stops accepting, closes idle connections at once, says GOAWAY or `connection: close` on the others and waits for what
   * is in flight, at most `graceMs`; then the rest is cut off.
   */
  close(graceMs: number): Promise<void>;
}

/** Opens a port. @throws ListenError naming the address and the reason */
export async function listen(address: ListenAddress, options: ListenerOptions): Promise<Listener> {
  const listener = new PortListener(options);
  await listener.open(address);
  return listener;
}

class PortListener implements Listener, ExchangeOwner, SniffedBy {
  port = 0;
  address = "";
  closing = false;
  private readonly options: ListenerOptions;
  private readonly server: Server;
  private readonly http: HttpServer | undefined;
  private readonly sockets = new Set<Socket>();
  /** Those of which no byte has come yet. */
  private readonly silent = new Set<Socket>();
  /** Those whose TLS does not stand yet, by their peer: what TLS makes of a socket is another one. */
  private readonly handshaking = new Map<string, Socket>();
  private readonly headerTimeoutMs: number;
  readonly bodies: BodyWatch;
  private readonly secure: TlsServer | undefined;
  private endRenewals: (() => void) | undefined = undefined;

  constructor(options: ListenerOptions) {
    this.options = options;
    this.headerTimeoutMs = options.headerTimeoutMs ?? HEADER_TIMEOUT_MS;
    this.bodies = new BodyWatch(options.bodySilenceMs ?? BODY_SILENCE_MS);
    // Half-open, because a peer may end its side after the request and still wait for the answer.
    this.server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.accepted(socket));
    this.server.maxConnections = options.connectionsMax ?? CONNECTIONS_MAX;
    this.secure = options.mutualTls?.server ?? options.secure;
    this.http = options.http === undefined ? undefined : this.createHttp(options.http);
  }

  async open(address: ListenAddress): Promise<void> {
    const where =
      "path" in address ? { path: address.path } : { host: address.host ?? "127.0.0.1", port: address.port };
    const text = "path" in where ? `unix:${where.path}` : `${hostText(where.host)}:${where.port}`;
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", (error) => reject(new ListenError(text, error)));
      this.server.listen({ ...where, backlog: LISTEN_BACKLOG }, resolve);
    });
    // Errors of accept(2), such as too many open files: the connection is lost, the port stays open.
    this.server.removeAllListeners("error");
    this.server.on("error", () => undefined);
    this.port = "path" in where ? 0 : (this.server.address() as AddressInfo).port;
    this.address = "path" in where ? text : `${hostText(where.host)}:${this.port}`;
    this.attendSecure();
    // Without having listened itself, `http.Server` checks no timeouts and knows no idle connections.
    this.http?.emit("listening");
  }

  async close(graceMs: number): Promise<void> {
    this.closing = true;
    this.endRenewals?.();
    const deadline = performance.now() + graceMs;
    const stopped = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    const drained = this.options.h2?.close(graceMs);
    this.http?.closeIdleConnections();
    for (const socket of this.silent) socket.destroy();
    for (const socket of this.handshaking.values()) socket.destroy();
    while (this.sockets.size > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, CLOSE_POLL_MS));
      this.http?.closeIdleConnections();
    }
    for (const socket of this.sockets) socket.destroy();
    this.bodies.close();
    this.http?.close();
    await drained;
    await stopped;
  }

  private createHttp(handler: HttpHandler): HttpServer {
    const server = createHttpServer({
      maxHeaderSize: this.options.headerBytesMax ?? HEADER_BYTES_MAX,
      headersTimeout: this.headerTimeoutMs,
      requestTimeout: 0,
      keepAliveTimeout: this.options.keepAliveTimeoutMs ?? KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: Math.min(HEADER_CHECK_INTERVAL_MS, this.headerTimeoutMs),
      shouldUpgradeCallback: (request) => this.options.h2 !== undefined && wantsH2c(request),
    });
    server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
      // Until the client speaks HTTP/2 there is nothing to drain.
      this.silent.add(socket);
      socket.once("close", () => this.silent.delete(socket));
      upgradeToH2c(request, socket, head, this.headerTimeoutMs, (upgraded) => {
        this.silent.delete(upgraded);
        this.options.h2?.accept(upgraded);
      });
    });
    // The bytes of the head are limited; a limit on their number would drop fields silently.
    server.maxHeadersCount = 0;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      runHandler(handler, new H1Exchange(request, response, this, false));
    });
    server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
      runHandler(handler, new H1Exchange(request, response, this, true));
    });
    return server;
  }

  private accepted(raw: Socket): void {
    this.sockets.add(raw);
    raw.once("close", () => this.sockets.delete(raw));
    raw.on("error", ignore);
    if (this.secure === undefined) this.serve(raw);
    else this.secureFirst(raw, this.secure);
  }

  /** Only now: TLS outlives a port that could not be opened, and is used for the next one. */
  private attendSecure(): void {
    const { mutualTls, h2 } = this.options;
    this.endRenewals = mutualTls?.onRenewal(() => h2?.renew());
    this.secure?.on("secureConnection", (socket) => {
      if (mutualTls === undefined) this.serve(socket);
      else this.servePeer(socket, mutualTls);
    });
    // After a handshake that took too long the socket would stay open.
    this.secure?.on("tlsClientError", (_error, socket) => socket.destroy());
  }

  /** Somebody who goes away during the handshake has nothing more to wait for, and keeps no `close` waiting. */
  private secureFirst(raw: Socket, secure: TlsServer): void {
    raw.allowHalfOpen = false;
    const peer = peerOf(raw);
    this.handshaking.set(peer, raw);
    raw.once("close", () => this.handshaking.delete(peer));
    secure.emit("connection", raw);
  }

  private servePeer(socket: TLSSocket, mutualTls: MutualTls): void {
    this.handshaking.delete(peerOf(socket));
    const peerId = mutualTls.identify(socket);
    if (peerId === undefined) socket.destroy();
    else this.options.h2?.accept(socket, peerId);
  }

  private serve(socket: Socket): void {
    if (this.secure !== undefined) this.handshaking.delete(peerOf(socket));
    if (this.http === undefined) {
      this.options.h2?.accept(socket);
      return;
    }
    this.silent.add(socket);
    sniff(socket, this.headerTimeoutMs, this);
  }

  onProtocol(socket: Socket, isH2: boolean): void {
    this.silent.delete(socket);
    const { h2 } = this.options;
    if (isH2 && h2 !== undefined) h2.accept(socket);
    else this.http?.emit("connection", socket);
  }

  onSilence(socket: Socket): void {
    this.silent.delete(socket);
    socket.destroy();
  }
}

function ignore(): void {}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}/${remotePort}`;
}

function hostText(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
