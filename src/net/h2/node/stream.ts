import type { Http2Stream, ServerHttp2Stream } from "node:http2";
import type { HeaderList } from "../../http/types.ts";
import { SEND_BUFFER_BYTES } from "../limits.ts";
import { H2_ERROR, type ResponseHead, type StreamHandler, type TransportStream } from "../transport.ts";
import { headerMapOf, responseHeadOf } from "./headers.ts";

const OWNER = Symbol("outrigger.stream");

/** A `node:http2` stream that knows our side of it, so that its listeners need no closures. */
interface Owned extends Http2Stream {
  [OWNER]?: NodeStream;
}

/** What a stream must know of its connection: whether the socket under it is gone. */
export interface StreamConnection {
  readonly lost: boolean;
  /** Called once when the stream is over. */
  streamClosed(stream: NodeStream): void;
}

const WAIT_FOR_TRAILERS = { waitForTrailers: true } as const;
const END_STREAM = { endStream: true } as const;

/** One stream of `node:http2` behind the transport's interface, for both ends of a connection. */
export class NodeStream implements TransportStream {
  private readonly h2: Http2Stream;
  private readonly connection: StreamConnection;
  private handler: StreamHandler | undefined;
  private trailers: HeaderList | undefined;
  private over = false;
  private ended = false;
  private awaitsDrain = false;
  /** Headers are our last word: a reset behind them would overtake them inside the library. */
  private endsWithHeaders = false;

  constructor(h2: Http2Stream, connection: StreamConnection) {
    this.h2 = h2;
    this.connection = connection;
  }

  /** Joins the handler of a server's stream and starts the flow of events. Each listener costs, so none is for nothing. */
  attach(handler: StreamHandler): void {
    const h2: Owned = this.h2;
    this.handler = handler;
    h2[OWNER] = this;
    h2.on("error", ignore);
    h2.on("close", onClose);
    h2.on("aborted", onAborted);
    h2.on("end", onEnd);
    h2.on("data", onData);
  }

  /** The same for a client's stream, which has a head and trailers besides. */
  attachClient(handler: StreamHandler): void {
    this.h2.on("response", onResponse);
    this.h2.on("trailers", onTrailers);
    this.attach(handler);
  }

  respond(head: ResponseHead, endStream: boolean): void {
    if (this.over || this.h2.destroyed) return;
    this.endsWithHeaders = endStream;
    const raw = [":status", String(head.status), ...head.headers];
    if (!endStream) this.h2.on("wantTrailers", onWantTrailers);
    try {
      (this.h2 as ServerHttp2Stream).respond(raw, endStream ? END_STREAM : WAIT_FOR_TRAILERS);
    } catch {
      this.reset(H2_ERROR.internal);
    }
  }

  send(data: Uint8Array, endStream: boolean): boolean {
    const h2 = this.h2;
    if (this.over || h2.destroyed || h2.writableEnded) return true;
    if (endStream) {
      if (data.length === 0) h2.end();
      else h2.end(data);
      return true;
    }
    if (h2.write(data) || h2.writableLength < SEND_BUFFER_BYTES) return true;
    if (!this.awaitsDrain) {
      this.awaitsDrain = true;
      h2.once("drain", onDrain);
    }
    return false;
  }

  sendTrailers(trailers: HeaderList): void {
    if (this.over || this.h2.destroyed || this.h2.writableEnded) return;
    this.trailers = trailers;
    this.endsWithHeaders = true;
    this.h2.end();
  }

  reset(code: number): void {
    if (this.over || this.h2.destroyed || this.h2.closed) return;
    if (code === H2_ERROR.noError && !this.h2.writableEnded) this.h2.end();
    if (code !== H2_ERROR.noError || !this.endsWithHeaders) this.h2.close(code);
    this.h2.resume();
  }

  hold(): void {
    if (!this.over) this.h2.pause();
  }

  resume(): void {
    if (!this.over) this.h2.resume();
  }

  /** The connection is gone or the stream was refused before anything was sent. */
  fail(code: number): void {
    if (this.over) return;
    this.over = true;
    this.connection.streamClosed(this);
    this.handler?.onClose(code);
  }

  /** Called by the listeners below. */
  gotData(chunk: Uint8Array): void {
    if (!this.over) this.handler?.onData(chunk);
  }

  gotEnd(): void {
    // A destroyed or reset stream also emits `end`: only the peer's END_STREAM counts.
    if (this.over || this.ended || this.h2.aborted || this.h2.rstCode !== H2_ERROR.noError || this.connection.lost)
      return;
    this.ended = true;
    this.handler?.onEnd();
  }

  gotDrain(): void {
    this.awaitsDrain = false;
    if (!this.over) this.handler?.onDrain?.();
  }

  gotHead(raw: readonly string[], endStream: boolean): void {
    if (!this.over) this.handler?.onHead?.(responseHeadOf(raw), endStream);
  }

  gotTrailers(raw: HeaderList): void {
    if (!this.over) this.handler?.onTrailers?.(raw);
  }

  wantsTrailers(): void {
    if (this.h2.destroyed || this.h2.closed) return;
    try {
      this.h2.sendTrailers(headerMapOf(this.trailers ?? []));
    } catch {
      this.reset(H2_ERROR.internal);
    }
  }

  gotClose(): void {
    this.fail(this.connection.lost ? -1 : (this.h2.rstCode ?? H2_ERROR.noError));
  }
}

function ignore(): void {}

function onData(this: Owned, chunk: Uint8Array): void {
  this[OWNER]?.gotData(chunk);
}

function onEnd(this: Owned): void {
  this[OWNER]?.gotEnd();
}

function onDrain(this: Owned): void {
  this[OWNER]?.gotDrain();
}

function onResponse(this: Owned, _headers: unknown, flags: number, raw: string[]): void {
  this[OWNER]?.gotHead(raw, (flags & 1) !== 0);
}

function onTrailers(this: Owned, _headers: unknown, _flags: number, raw: string[]): void {
  this[OWNER]?.gotTrailers(raw);
}

function onWantTrailers(this: Owned): void {
  this[OWNER]?.wantsTrailers();
}

/** A held stream would emit `close` only after its data was read, so a peer's reset is passed on from here. */
function onAborted(this: Owned): void {
  this[OWNER]?.gotClose();
  this.resume();
}

function onClose(this: Owned): void {
  this[OWNER]?.gotClose();
}
