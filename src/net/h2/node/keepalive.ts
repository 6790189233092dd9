import type { Http2Session } from "node:http2";

/** What keepalive needs of a connection. */
export interface KeptConnection {
  readonly session: Http2Session;
  /** Whether streams are open: an idle connection is not PINGed. */
  readonly busy: boolean;
  /** Ends the connection as lost. */
  kill(): void;
}

/** PINGs a connection while it has open streams and kills it when an answer stays out. */
export class Keepalive {
  private readonly connection: KeptConnection;
  private readonly timeoutMs: number;
  private readonly timer: NodeJS.Timeout;
  private waiting: NodeJS.Timeout | undefined;

  constructor(connection: KeptConnection, intervalMs: number, timeoutMs: number) {
    this.connection = connection;
    this.timeoutMs = timeoutMs;
    this.timer = setInterval(() => this.ping(), intervalMs).unref();
  }

  private ping(): void {
    const { session, busy } = this.connection;
    if (this.waiting !== undefined || session.destroyed || session.connecting || !busy) return;
    this.waiting = setTimeout(() => this.connection.kill(), this.timeoutMs).unref();
    session.ping(() => this.answered());
  }

  private answered(): void {
    clearTimeout(this.waiting);
    this.waiting = undefined;
  }

  stop(): void {
    clearInterval(this.timer);
    this.answered();
  }
}
