import type { HeaderList } from "../http/types.ts";
import { SEND_BUFFER_BYTES } from "./limits.ts";
import {
  type AcceptStream,
  H2_ERROR,
  type ResponseHead,
  type StreamHandler,
  type Transport,
  type TransportClient,
  type TransportServer,
  type TransportStream,
} from "./transport.ts";

/**
 * HTTP/2's streams without HTTP/2: servers are known by an authority and clients of it are joined to them in this process.
 * For the in-process runtime and for tests. Nothing is copied or encoded; delivery is asynchronous, order and back-pressure
 * are as on a connection.
 */
export class MemoryTransport implements Transport {
  private readonly accepts = new Map<string, AcceptStream>();

  /** Makes a server's accept function known under an authority. Call the result to take it away. */
  bind(authority: string, accept: AcceptStream): () => void {
    if (this.accepts.has(authority)) throw new Error(`${authority} is taken`);
    this.accepts.set(authority, accept);
    return () => this.accepts.delete(authority);
  }

  /** There are no sockets to serve. @throws Error always: use `bind` */
  createServer(): TransportServer {
    throw new Error("the in-memory transport has no sockets; bind an authority instead");
  }

  createClient(authority: string): TransportClient {
    return new MemoryClient(authority, () => this.accepts.get(authority));
  }
}

class MemoryClient implements TransportClient {
  private readonly authority: string;
  private readonly find: () => AcceptStream | undefined;
  private readonly ends = new Set<MemoryEnd>();
  private closed = false;

  constructor(authority: string, find: () => AcceptStream | undefined) {
    this.authority = authority;
    this.find = find;
  }

  open: TransportClient["open"] = (head, endStream, handler) => {
    const accept = this.closed ? undefined : this.find();
    const client = new MemoryEnd();
    const server = new MemoryEnd();
    client.handler = handler;
    client.peer = server;
    server.peer = client;
    this.ends.add(client);
    client.onClosed = () => this.ends.delete(client);
    queueMicrotask(() => {
      if (client.closed) return;
      if (accept === undefined) {
        handler.onConnectError?.(
          new Error(this.closed ? "the client is closed" : `nobody serves ${this.authority} in this process`),
        );
        client.close(-1);
        return;
      }
      server.handler = accept(server, head, { remoteAddress: "" });
      server.schedule();
    });
    if (endStream) client.send(new Uint8Array(0), true);
    return client;
  };

  close(): Promise<void> {
    this.closed = true;
    for (const end of this.ends) {
      end.peer?.close(-1);
      end.close(-1);
    }
    return Promise.resolve();
  }
}

type Delivery =
  | { readonly kind: "head"; readonly head: ResponseHead; readonly endStream: boolean }
  | { readonly kind: "data"; readonly data: Uint8Array }
  | { readonly kind: "trailers"; readonly trailers: HeaderList }
  | { readonly kind: "end" };

/** One side of a stream; what the other side sends waits in its inbox. */
class MemoryEnd implements TransportStream {
  handler: StreamHandler | undefined = undefined;
  peer: MemoryEnd | undefined = undefined;
  closed = false;
  onClosed: (() => void) | undefined = undefined;
  private inbox: Delivery[] = [];
  private inboxBytes = 0;
  private held = false;
  private scheduled = false;
  private sentEnd = false;
  private gotEnd = false;
  private blocked = false;

  respond(head: ResponseHead, endStream: boolean): void {
    if (this.closed || this.sentEnd) return;
    this.peer?.put({ kind: "head", head, endStream });
    if (endStream) this.finish();
  }

  send(data: Uint8Array, endStream: boolean): boolean {
    const { peer } = this;
    if (this.closed || this.sentEnd || peer === undefined) return true;
    if (data.length > 0) peer.put({ kind: "data", data });
    if (endStream) this.finish();
    this.blocked = peer.inboxBytes >= SEND_BUFFER_BYTES;
    return !this.blocked;
  }

  sendTrailers(trailers: HeaderList): void {
    if (this.closed || this.sentEnd) return;
    this.peer?.put({ kind: "trailers", trailers });
    this.finish();
  }

  reset(code: number): void {
    const { peer } = this;
    if (this.closed) return;
    queueMicrotask(() => {
      this.close(code);
      peer?.close(code);
    });
  }

  hold(): void {
    this.held = true;
  }

  resume(): void {
    this.held = false;
    this.schedule();
  }

  close(code: number): void {
    if (this.closed) return;
    this.closed = true;
    this.inbox = [];
    this.onClosed?.();
    this.handler?.onClose(code);
  }

  schedule(): void {
    if (this.scheduled || this.held || this.handler === undefined || this.inbox.length === 0) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.deliver();
    });
  }

  private finish(): void {
    this.sentEnd = true;
    this.peer?.put({ kind: "end" });
  }

  private put(delivery: Delivery): void {
    if (delivery.kind === "data") this.inboxBytes += delivery.data.length;
    this.inbox.push(delivery);
    this.schedule();
  }

  private deliver(): void {
    const { handler, peer } = this;
    if (handler === undefined) return;
    while (!this.held && !this.closed) {
      const delivery = this.inbox.shift();
      if (delivery === undefined) break;
      if (delivery.kind === "head") handler.onHead?.(delivery.head, delivery.endStream);
      else if (delivery.kind === "trailers") handler.onTrailers?.(delivery.trailers);
      else if (delivery.kind === "end") {
        this.gotEnd = true;
        handler.onEnd();
      } else {
        this.inboxBytes -= delivery.data.length;
        handler.onData(delivery.data);
        if (peer?.blocked === true && this.inboxBytes * 2 < SEND_BUFFER_BYTES) {
          peer.blocked = false;
          peer.handler?.onDrain?.();
        }
      }
    }
    if (this.gotEnd && peer?.gotEnd === true) {
      this.close(H2_ERROR.noError);
      peer.close(H2_ERROR.noError);
    }
  }
}
