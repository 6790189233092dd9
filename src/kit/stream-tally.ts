/** Bytes of streamed bodies after which what they have left behind is collected. */
export const COLLECT_EVERY_BYTES = 2 * 1024 * 1024;
/** After so many of those it is looked whether chunks that outlived two of them have piled up. */
export const LOOK_EVERY_COLLECTIONS = 16;
/** Bytes of buffers, in use or not, from which on all garbage is collected. */
export const BUFFERS_BYTES_MAX = 16 * 1024 * 1024;

/** What a tally may do about garbage. */
export interface StreamGarbage {
  /** Takes less than a millisecond. */
  collectYoung(): void;
  /** Takes some milliseconds. */
  collectAll(): void;
  /** Bytes of all buffers of the process that have not been freed. */
  bufferBytes(): number;
}

/**
 * Counts the bytes that pass through in streams. Their chunks are garbage a moment later, but hold so little of the heap
 * that V8 lets 64 MB of them pile up before it looks. Collecting the young ones every few MB halves what a large transfer
 * takes, and is no slower: the allocator has the same memory to give out again. A chunk that is under way during two
 * such collections counts as old from then on, and is freed with all garbage only.
 */
export class StreamTally {
  readonly #garbage: StreamGarbage;
  #bytes = 0;
  #collections = 0;

  constructor(garbage: StreamGarbage) {
    this.#garbage = garbage;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= COLLECT_EVERY_BYTES) {
      this.#bytes = 0;
      this.#collect();
    }
  }

  #collect(): void {
    this.#collections += 1;
    if (this.#collections % LOOK_EVERY_COLLECTIONS === 0 && this.#garbage.bufferBytes() > BUFFERS_BYTES_MAX) {
      this.#garbage.collectAll();
    } else {
      this.#garbage.collectYoung();
    }
  }
}

/** Undefined where nothing can be collected on request. */
export function createStreamTally(garbage: StreamGarbage | undefined): StreamTally | undefined {
  return garbage && new StreamTally(garbage);
}

/** A stream whose bytes are counted; as it is where nobody counts. */
export function tallied(source: AsyncIterable<Uint8Array>, tally: StreamTally | undefined): AsyncIterable<Uint8Array> {
  return tally === undefined ? source : { [Symbol.asyncIterator]: () => new TalliedIterator(source, tally) };
}

class TalliedIterator implements AsyncIterator<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #tally: StreamTally;

  constructor(source: AsyncIterable<Uint8Array>, tally: StreamTally) {
    this.#source = source[Symbol.asyncIterator]();
    this.#tally = tally;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const result = await this.#source.next();
    if (result.done !== true) {
      this.#tally.add(result.value.byteLength);
    }
    return result;
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#source.return?.();
    return { done: true, value: undefined };
  }
}
