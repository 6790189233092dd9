import { createHash } from "node:crypto";

/** Lines kept for whoever looks at a failure. */
const TAIL_LINES = 400;
/** Lines that are hashed together. */
const CHUNK_LINES = 256;

/** What happened, in order: the end of it to read, all of it as a hash. */
export class Trace {
  readonly #hash = createHash("sha256");
  readonly #tail: string[] = [];
  #chunk: string[] = [];
  #lines = 0;

  get lines(): number {
    return this.#lines;
  }

  add(atMs: number, text: string): void {
    const line = `${atMs.toFixed(3)} ${text}`;
    this.#lines += 1;
    this.#tail[this.#lines % TAIL_LINES] = line;
    this.#chunk.push(line);
    if (this.#chunk.length === CHUNK_LINES) {
      this.#hash.update(this.#chunk.join("\n"));
      this.#chunk = [];
    }
  }

  /** Of everything up to now: the same for the same seed and program. */
  hash(): string {
    return this.#hash.copy().update(this.#chunk.join("\n")).digest("hex").slice(0, 16);
  }

  tail(lines: number): readonly string[] {
    const first = Math.max(1, this.#lines - Math.min(lines, TAIL_LINES) + 1);
    return Array.from(
      { length: this.#lines - first + 1 },
      (_, index) => this.#tail[(first + index) % TAIL_LINES] ?? "",
    );
  }
}
