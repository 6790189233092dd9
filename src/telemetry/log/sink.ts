import { openSync } from "node:fs";
import sonicBoom from "sonic-boom";

/** Where finished lines go. */
export interface LogSink {
  /** Takes a line with its line feed. Never throws: a log that cannot be written is nobody's error. */
  write(line: string): void;
  /** Resolves when everything taken so far is written, or cannot be. A process waits for it before it exits. */
  close(): Promise<void>;
}

/** What waits for a reader that has stopped reading; lines beyond are dropped, so that a stuck pipe cannot fill memory. */
const BUFFERED_CHARACTERS_MAX = 16 * 1024 * 1024;

const LOG_FILE_MODE = 0o644;

/**
 * Lines to a file descriptor (1: standard output) or appended to a file, written off the main thread as soon as the
 * write before is done. There is no synchronous flush, since one would overtake or lose the write in flight.
 * @throws the system's error when the file cannot be opened
 */
export function createLogSink(destination: { readonly fd: number } | { readonly file: string }): LogSink {
  const fd = "fd" in destination ? destination.fd : openSync(destination.file, "a", LOG_FILE_MODE);
  return new BoomSink(new sonicBoom.SonicBoom({ fd, sync: false, minLength: 0, maxLength: BUFFERED_CHARACTERS_MAX }));
}

class BoomSink implements LogSink {
  readonly #boom: sonicBoom.SonicBoom;
  readonly #closed = Promise.withResolvers<void>();
  #ending = false;

  constructor(boom: sonicBoom.SonicBoom) {
    this.#boom = boom;
    boom.once("close", () => this.#closed.resolve());
    // The reader is gone (EPIPE) or the disk is full: there is nowhere left to say so.
    boom.on("error", () => {
      this.#ending = true;
      this.#closed.resolve();
    });
  }

  write(line: string): void {
    if (!this.#ending) {
      this.#boom.write(line);
    }
  }

  close(): Promise<void> {
    if (!this.#ending) {
      this.#ending = true;
      this.#boom.end();
    }
    return this.#closed.promise;
  }
}
