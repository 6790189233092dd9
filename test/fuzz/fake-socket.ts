import { EventEmitter } from "node:events";
import type { Socket } from "node:net";

/** As much of a socket as HTTP/2 needs, without a system under it; what is written to it is counted and dropped. */
export class FakeSocket extends EventEmitter {
  destroyed = false;
  writableEnded = false;
  readonly connecting = false;
  readonly writableLength = 0;
  readonly remoteAddress = "127.0.0.1";
  written = 0;

  write(bytes: Uint8Array): boolean {
    this.written += bytes.length;
    return true;
  }

  cork(): void {}
  uncork(): void {}
  setNoDelay(): void {}

  end(): void {
    this.writableEnded = true;
  }

  destroy(error?: Error): void {
    if (this.destroyed) return;
    this.destroyed = true;
    queueMicrotask(() => {
      if (error !== undefined) this.emit("error", error);
      this.emit("close");
    });
  }

  /** For interfaces that ask for the real one. */
  asSocket(): Socket {
    return this as unknown as Socket;
  }
}
