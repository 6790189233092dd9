import type { HeaderList } from "../../src/net/http/types.ts";
import type { RequestHead, ResponseHead, StreamHandler, TransportStream } from "../../src/net/h2/transport.ts";
import type { Connection, Side } from "./connection.ts";
import { Lane } from "./network.ts";
import type { World } from "./world.ts";

/** Bytes on the way to a peer that reads slowly, before its sender is asked to stop. */
const SEND_BUFFER_BYTES = 64 * 1024;

type Piece =
  | { readonly kind: "open" }
  | { readonly kind: "head"; readonly head: ResponseHead; readonly endStream: boolean }
  | { readonly kind: "data"; readonly data: Uint8Array }
  | { readonly kind: "trailers"; readonly trailers: HeaderList }
  | { readonly kind: "end" }
  | { readonly kind: "reset"; readonly code: number }
  | { readonly kind: "drain" };

type Handler = StreamHandler & { onConnectError?(error: Error): void };

interface Packet {
  readonly pieces: Piece[];
  readonly happened: number;
}

/** One end of an HTTP/2 stream. What is sent within one happening travels as one packet. */
export class StreamEnd implements TransportStream {
  handler: Handler | undefined;
  isClosed = false;
  onClosed: (() => void) | undefined;
  readonly #world: World;
  readonly #connection: Connection;
  readonly #side: () => Side;
  readonly #lane = new Lane();
  readonly #name: string;
  #head: RequestHead | undefined;
  #peer: StreamEnd | undefined;
  #packet: Packet | undefined;
  #inbox: Piece[] = [];
  #underWayBytes = 0;
  #isHeld = false;
  #isBlocked = false;
  #hasSentEnd = false;
  #hasGotEnd = false;

  constructor(world: World, connection: Connection, side: () => Side, name: string) {
    this.#world = world;
    this.#connection = connection;
    this.#side = side;
    this.#name = name;
  }

  /** Both ends of a new stream, which the server hears of in time. @returns the client's */
  static open(world: World, connection: Connection, head: RequestHead, handler: Handler): StreamEnd {
    const name = head.path.slice(head.path.lastIndexOf("/") + 1);
    const client = new StreamEnd(world, connection, () => connection.client, name);
    const server = new StreamEnd(world, connection, () => connection.server as Side, name);
    client.handler = handler;
    client.#peer = server;
    server.#peer = client;
    server.#head = head;
    connection.client.ends.add(client);
    client.#put({ kind: "open" });
    return client;
  }

  /** @throws Error at the client's end */
  requestHead(): RequestHead {
    if (this.#head === undefined) {
      throw new Error("only the server's end has a request");
    }
    return this.#head;
  }

  respond(head: ResponseHead, endStream: boolean): void {
    if (this.isClosed || this.#hasSentEnd) {
      return;
    }
    this.#put({ kind: "head", head, endStream });
    if (endStream) {
      this.#finish();
    }
  }

  send(data: Uint8Array, endStream: boolean): boolean {
    if (this.isClosed || this.#hasSentEnd) {
      return true;
    }
    if (data.length > 0) {
      this.#underWayBytes += data.length;
      this.#put({ kind: "data", data: data.slice() });
    }
    if (endStream) {
      this.#finish();
    }
    this.#isBlocked ||= this.#underWayBytes >= SEND_BUFFER_BYTES;
    return !this.#isBlocked;
  }

  sendTrailers(trailers: HeaderList): void {
    if (!this.isClosed && !this.#hasSentEnd) {
      this.#put({ kind: "trailers", trailers });
      this.#finish();
    }
  }

  reset(code: number): void {
    if (this.isClosed) {
      return;
    }
    this.#put({ kind: "reset", code });
    queueMicrotask(() => this.close(code));
  }

  hold(): void {
    this.#isHeld = true;
  }

  resume(): void {
    this.#isHeld = false;
    queueMicrotask(() => this.#deliver());
  }

  close(code: number): void {
    if (this.isClosed) {
      return;
    }
    this.isClosed = true;
    this.#inbox = [];
    this.#side().ends.delete(this);
    this.onClosed?.();
    this.handler?.onClose(code);
  }

  connectFailed(error: Error): void {
    this.handler?.onConnectError?.(error);
  }

  #finish(): void {
    this.#hasSentEnd = true;
    this.#put({ kind: "end" });
    this.#closeWhenBothHaveEnded();
  }

  #put(piece: Piece): void {
    const { happened } = this.#world;
    if (this.#packet?.happened === happened) {
      this.#packet.pieces.push(piece);
      return;
    }
    const packet: Packet = { pieces: [piece], happened };
    this.#packet = packet;
    this.#connection.send(this.#side(), this.#lane, `${this.#name} ${piece.kind}`, () => {
      this.#packet = this.#packet === packet ? undefined : this.#packet;
      this.#peer?.receive(packet.pieces);
    });
  }

  receive(pieces: readonly Piece[]): void {
    this.#inbox.push(...pieces);
    this.#deliver();
  }

  #deliver(): void {
    while (!this.isClosed && this.#inbox.length > 0) {
      const urgent = this.#inbox.findIndex(({ kind }) => kind === "reset" || kind === "drain");
      if (this.#isHeld && urgent === -1) {
        return;
      }
      const [piece] = this.#inbox.splice(this.#isHeld ? urgent : 0, 1);
      if (piece !== undefined) {
        this.#take(piece);
      }
    }
  }

  #take(piece: Piece): void {
    const { handler } = this;
    switch (piece.kind) {
      case "open":
        this.#connection.accept(this);
        return;
      case "head":
        handler?.onHead?.(piece.head, piece.endStream);
        return;
      case "data":
        this.#peer?.arrived(piece.data.length);
        handler?.onData(piece.data);
        return;
      case "trailers":
        handler?.onTrailers?.(piece.trailers);
        return;
      case "end":
        this.#hasGotEnd = true;
        handler?.onEnd();
        this.#closeWhenBothHaveEnded();
        return;
      case "reset":
        this.close(piece.code);
        return;
      case "drain":
        this.#isBlocked = false;
        handler?.onDrain?.();
    }
  }

  /** The peer has taken bytes; it tells so when that makes a difference. */
  arrived(bytes: number): void {
    this.#underWayBytes -= bytes;
    const peer = this.#peer;
    if (peer !== undefined && this.#isBlocked && this.#underWayBytes * 2 < SEND_BUFFER_BYTES) {
      peer.#put({ kind: "drain" });
    }
  }

  #closeWhenBothHaveEnded(): void {
    if (this.#hasSentEnd && this.#hasGotEnd) {
      queueMicrotask(() => this.close(0));
    }
  }
}
