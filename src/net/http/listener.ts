import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Server as TlsServer } from "node:tls";
import type { TransportServer } from "../h2/transport.ts";
import { ListenError } from "./errors.ts";
import { H1Exchange, type ExchangeOwner } from "./h1-exchange.ts";
import { runHandler } from "./h2-exchange.ts";
import { upgradeToH2c, wantsH2c } from "./h2c-upgrade.ts";
import {
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
  /**
   * Puts TLS around every connection; the protocol is then recognised inside. It does not listen itself, keeps its own
   * handshake timeout, and its certificate is exchanged with `setSecureContext`.
   */
  readonly secure?: TlsServer | undefined;
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
  private readonly headerTimeoutMs: number;

  constructor(options: ListenerOptions) {
    this.options = options;
    this.headerTimeoutMs = options.headerTimeoutMs ?? HEADER_TIMEOUT_MS;
    // Half-open, because a peer may end its side after the request and still wait for the answer.
    this.server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.accepted(socket));
    this.server.maxConnections = options.connectionsMax ?? CONNECTIONS_MAX;
    options.secure?.on("secureConnection", (socket) => this.serve(socket));
    // After a handshake that took too long the socket would stay open.
    options.secure?.on("tlsClientError", (_error, socket) => socket.destroy());
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
    // Without having listened itself, `http.Server` checks no timeouts and knows no idle connections.
    this.http?.emit("listening");
  }

  async close(graceMs: number): Promise<void> {
    this.closing = true;
    const deadline = performance.now() + graceMs;
    const stopped = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    const drained = this.options.h2?.close(graceMs);
    this.http?.closeIdleConnections();
    for (const socket of this.silent) socket.destroy();
    while (this.sockets.size > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, CLOSE_POLL_MS));
      this.http?.closeIdleConnections();
    }
    for (const socket of this.sockets) socket.destroy();
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
    if (this.options.secure === undefined) this.serve(raw);
    else this.options.secure.emit("connection", raw);
  }

  private serve(socket: Socket): void {
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

function hostText(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
