import { BodyTooLargeError } from "../net/http/errors.ts";
import type { Body } from "../net/http/types.ts";

const EMPTY = new Uint8Array(0);

/** The whole of a body, at once where it is. @throws BodyTooLargeError beyond `bytesMax` (0: no limit), after giving the rest up */
export function collectBody(body: Body, bytesMax: number): Uint8Array | Promise<Uint8Array> {
  return body instanceof Uint8Array ? limited(body, bytesMax) : collectStream(body, bytesMax);
}

async function collectStream(body: Body, bytesMax: number): Promise<Uint8Array> {
  return limited(await bodyPrefix(body, bytesMax === 0 ? Number.POSITIVE_INFINITY : bytesMax + 1), bytesMax);
}

function limited(bytes: Uint8Array, bytesMax: number): Uint8Array {
  if (bytesMax !== 0 && bytes.byteLength > bytesMax) {
    throw new BodyTooLargeError(bytesMax);
  }
  return bytes;
}

/** At most the first `bytesMax` bytes of a body; the rest is given up. */
export async function bodyPrefix(body: Body, bytesMax: number): Promise<Uint8Array> {
  if (body instanceof Uint8Array) {
    return body.byteLength > bytesMax ? body.subarray(0, bytesMax) : body;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size >= bytesMax) {
      break;
    }
  }
  if (chunks.length === 0) {
    return EMPTY;
  }
  const whole = chunks.length === 1 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks, size);
  return whole.byteLength > bytesMax ? whole.subarray(0, bytesMax) : whole;
}

/** Frees what a body that nobody will read holds. */
export async function discardBody(body: Body): Promise<void> {
  if (!(body instanceof Uint8Array)) {
    await body[Symbol.asyncIterator]().return?.();
  }
}

/**
 * A streamed body that tells when it is over: read to its end, failed or given up. Unlike a generator it also frees the
 * source when nobody ever asked for a first chunk.
 */
export class ObservedBody implements AsyncIterableIterator<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>;
  #onOver: (() => void) | undefined;

  constructor(source: AsyncIterable<Uint8Array>, onOver: () => void) {
    this.#source = source[Symbol.asyncIterator]();
    this.#onOver = onOver;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    try {
      const result = await this.#source.next();
      if (result.done === true) {
        this.#over();
      }
      return result;
    } catch (error) {
      this.#over();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#over();
    await this.#source.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #over(): void {
    const onOver = this.#onOver;
    this.#onOver = undefined;
    onOver?.();
  }
}
