import type { IncomingMessage } from "node:http";

/** Looks in the time that a body may be silent. */
const LOOKS = 4;

interface Watched {
  /** Of the socket, at the last look. */
  bytesRead: number;
  /** Looks in a row at which nothing had come. */
  silentLooks: number;
}

/** Told of bodies that are being read; there is no timer while there are none. */
export interface BodyRegister {
  add(request: IncomingMessage): void;
  /** Its body has ended, or its connection has. */
  delete(request: IncomingMessage): void;
}

/**
 * Ends connections on which a request's body was begun and nothing more comes: their peers have vanished, or hoard. While
 * a reader holds its body back, its peer has nothing to answer for.
 */
export class BodyWatch implements BodyRegister {
  readonly #lookMs: number;
  /** Undefined until the first look, which most bodies do not live to see. */
  readonly #watched = new Map<IncomingMessage, Watched | undefined>();
  #timer: NodeJS.Timeout | undefined;

  /** @param silenceMs how long nothing may come; it is noticed a quarter later at most */
  constructor(silenceMs: number) {
    this.#lookMs = Math.ceil(silenceMs / LOOKS);
  }

  add(request: IncomingMessage): void {
    this.#watched.set(request, undefined);
    this.#timer ??= setInterval(() => this.#look(), this.#lookMs).unref();
  }

  delete(request: IncomingMessage): void {
    this.#watched.delete(request);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    for (const [request, watched] of this.#watched) {
      const { bytesRead } = request.socket;
      const isSilent = bytesRead === watched?.bytesRead && !request.isPaused() && !request.complete;
      const silentLooks = isSilent ? watched.silentLooks + 1 : 0;
      if (silentLooks >= LOOKS) {
        this.#watched.delete(request);
        request.socket.destroy();
      } else {
        this.#watched.set(request, { bytesRead, silentLooks });
      }
    }
    if (this.#watched.size === 0) {
      this.close();
    }
  }
}
