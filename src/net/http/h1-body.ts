import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { PullQueue, type QueueSource } from "../pull-queue.ts";
import type { BodyRegister } from "./body-watch.ts";
import { BodyTooLargeError, PeerGoneError } from "./errors.ts";
import { joinChunks } from "./headers.ts";
import { BODY_QUEUE_BYTES, LINGER_MS } from "./limits.ts";

/** Reads a request's body whole. @throws BodyTooLargeError, PeerGoneError */
export function collectBody(request: IncomingMessage, bytesMax: number, bodies: BodyRegister): Promise<Uint8Array> {
  bodies.add(request);
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let length = 0;
    const onData = (chunk: Uint8Array): void => {
      length += chunk.length;
      if (bytesMax > 0 && length > bytesMax) {
        // Without a listener the rest is dropped once the answer resumes the request.
        request.off("data", onData);
        request.pause();
        reject(new BodyTooLargeError(bytesMax));
      } else chunks.push(chunk);
    };
    request.on("data", onData);
    request.once("end", () => {
      bodies.delete(request);
      resolve(joinChunks(chunks, length));
    });
    request.once("close", () => {
      bodies.delete(request);
      if (!request.readableEnded) reject(new PeerGoneError());
    });
  });
}

/** Reads a request's body piece by piece, pausing the connection while the reader lags. */
export class H1RequestBody implements QueueSource {
  readonly queue: PullQueue<Uint8Array>;
  private readonly request: IncomingMessage;
  private readonly bytesMax: number;
  private readonly bodies: BodyRegister;
  private length = 0;

  constructor(request: IncomingMessage, bytesMax: number, bodies: BodyRegister) {
    this.request = request;
    this.bytesMax = bytesMax;
    this.bodies = bodies;
    this.queue = new PullQueue<Uint8Array>(this, BODY_QUEUE_BYTES);
  }

  start(): void {
    const { request, queue, bodies } = this;
    if (request.destroyed) {
      // Also of one that had come whole: nothing is read of it, and it tells of no end, any more.
      queue.fail(new PeerGoneError());
      return;
    }
    bodies.add(request);
    request.on("data", (chunk: Uint8Array) => this.push(chunk));
    request.once("end", () => {
      bodies.delete(request);
      queue.end();
    });
    request.once("close", () => {
      bodies.delete(request);
      queue.fail(new PeerGoneError());
    });
  }

  private push(chunk: Uint8Array): void {
    this.length += chunk.length;
    if (this.bytesMax > 0 && this.length > this.bytesMax) {
      this.queue.fail(new BodyTooLargeError(this.bytesMax));
      this.request.pause();
    } else if (!this.queue.push(chunk, chunk.length)) this.request.pause();
  }

  onRoom(): void {
    this.request.resume();
  }

  /** The rest is dropped as it comes, until the answer ends the exchange. */
  onAbandoned(): void {
    this.request.resume();
  }
}

/** Ends the connection of a request whose body is still coming a moment after its answer. */
export function destroyUnlessRead(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), LINGER_MS);
  request.once("close", () => clearTimeout(timer));
  request.once("end", () => clearTimeout(timer));
}

/** Sends the head of a response whose handler has not written anything in the same turn. */
export function flushHead(response: ServerResponse): void {
  if (!response.writableEnded && !response.destroyed) response.flushHeaders();
}

/** Resolves when a response takes more. @throws PeerGoneError when it is closed first */
export function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const onDrain = (): void => {
      response.off("close", onClose);
      resolve();
    };
    const onClose = (): void => {
      response.off("drain", onDrain);
      reject(new PeerGoneError());
    };
    response.once("drain", onDrain);
    response.once("close", onClose);
  });
}

/**
 * Makes `node:http` close this socket gently after the answer: it ends our side and reads on for a moment. Closing it with
 * unread bytes would send a reset, and the peer could lose the answer (RFC 9112 section 9.6).
 */
export function lingerOnClose(socket: Socket): void {
  socket.destroySoon = lingeringClose;
}

function lingeringClose(this: Socket): void {
  const timer = setTimeout(() => this.destroy(), LINGER_MS);
  this.once("close", () => clearTimeout(timer));
  this.end();
  this.resume();
}
