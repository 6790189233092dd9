/** A streamed body that tells once when it is over: read to its end, failed or given up, even if nobody ever asked for a first chunk. */
export class EndingBody implements AsyncIterableIterator<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>;
  #onEnd: (() => void) | undefined;

  constructor(source: AsyncIterable<Uint8Array>, onEnd: () => void) {
    this.#source = source[Symbol.asyncIterator]();
    this.#onEnd = onEnd;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    try {
      const result = await this.#source.next();
      if (result.done === true) {
        this.#end();
      }
      return result;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#end();
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(): void {
    const onEnd = this.#onEnd;
    this.#onEnd = undefined;
    onEnd?.();
  }
}
