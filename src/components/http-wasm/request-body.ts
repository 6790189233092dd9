import { joinChunks } from "../../net/http/headers.ts";
import type { Body } from "../../net/http/types.ts";

/** A request's body that a guest may read a part of, with what is left of it for the next handler. */
export class RequestBody {
  readonly #body: Body;
  readonly #bytesMax: number;
  readonly #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #rest: Uint8Array | undefined;
  /** Why reading has failed. */
  failure: Error | undefined;

  /** @param bytesMax that are kept for the next handler */
  constructor(body: Body, bytesMax: number) {
    this.#body = body;
    this.#bytesMax = bytesMax;
  }

  /** The next piece, of at most so many bytes; undefined at the end. @throws what the body throws */
  async read(bytesMax: number): Promise<Uint8Array | undefined> {
    try {
      const chunk = this.#rest ?? (await this.#next());
      if (chunk === undefined) {
        return undefined;
      }
      this.#rest = chunk.byteLength > bytesMax ? chunk.subarray(bytesMax) : undefined;
      const piece = chunk.subarray(0, bytesMax);
      this.#keptBytes += piece.byteLength;
      if (this.#keptBytes > this.#bytesMax) {
        throw new Error(`the guest has read more than the limit of ${this.#bytesMax} bytes of a body`);
      }
      this.#kept.push(piece);
      return piece;
    } catch (error) {
      this.failure = error as Error;
      throw error;
    }
  }

  /** @param whole with what the guest has read, as `buffer_request` has it; otherwise that is gone */
  left(whole: boolean): Body {
    const iterator = this.#iterator;
    if (iterator === undefined) {
      return this.#body;
    }
    const first = [...(whole ? this.#kept : []), ...(this.#rest === undefined ? [] : [this.#rest])];
    return remainder(
      joinChunks(
        first,
        first.reduce((sum, { byteLength }) => sum + byteLength, 0),
      ),
      iterator,
    );
  }

  async #next(): Promise<Uint8Array | undefined> {
    this.#iterator ??= iterated(this.#body);
    const result = await this.#iterator.next();
    return result.done === true ? undefined : result.value;
  }
}

function iterated(body: Body): AsyncIterator<Uint8Array> {
  if (!(body instanceof Uint8Array)) {
    return body[Symbol.asyncIterator]();
  }
  let given = body.byteLength === 0;
  return {
    next: async () => {
      const done = given;
      given = true;
      return done ? { done: true, value: undefined } : { done: false, value: body };
    },
  };
}

async function* remainder(first: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (first.byteLength > 0) {
      yield first;
    }
    for (let result = await iterator.next(); result.done !== true; result = await iterator.next()) {
      yield result.value;
    }
  } finally {
    await iterator.return?.();
  }
}
