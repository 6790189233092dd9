/** Bytes of streamed bodies after which what they have left behind is collected. */
export const COLLECT_EVERY_BYTES = 2 * 1024 * 1024;

/**
 * Counts the bytes that pass through in streams. Their chunks are garbage a moment later, but hold so little of the heap
 * that V8 lets 64 MB of them pile up before it looks. Collecting the young ones every few MB costs less than a
 * millisecond, halves what a large transfer takes, and is no slower: the allocator has the same memory to give out again.
 */
export class StreamTally {
  readonly #collectYoung: () => void;
  #bytes = 0;

  constructor(collectYoung: () => void) {
    this.#collectYoung = collectYoung;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= COLLECT_EVERY_BYTES) {
      this.#bytes = 0;
      this.#collectYoung();
    }
  }
}

/** Undefined where nothing can be collected on request. */
export function createStreamTally(collectYoung: (() => void) | undefined): StreamTally | undefined {
  return collectYoung && new StreamTally(collectYoung);
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
