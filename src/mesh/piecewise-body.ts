import { goErrorText } from "../app/go-error-text.ts";
import type { StreamMessage } from "./messages.ts";

/** What a body is read from: the messages behind its first one, and whose they are. */
export interface PieceSource<Head> {
  readonly first: StreamMessage<Head>;
  readonly rest: AsyncIterator<StreamMessage<Head>>;
  /** The message after the first, where somebody has asked for it already. */
  readonly second?: Promise<IteratorResult<StreamMessage<Head>>> | undefined;
  readonly kind: "request" | "response";
  /** A head in a later message that says nothing, as daprd sends with server-sent events, is no error. */
  readonly isEmptyHead: (head: Head) => boolean;
  /** Called once, when the body is over: read to its end, failed or given up. */
  readonly onOver: () => void;
}

/** The body of a call between sidecars, piece by piece, with the pieces' numbers checked. */
export class PiecewiseBody<Head> implements AsyncIterableIterator<Uint8Array> {
  readonly #source: PieceSource<Head>;
  #message: StreamMessage<Head> | undefined;
  #second: Promise<IteratorResult<StreamMessage<Head>>> | undefined;
  #expected = 0;
  #over = false;

  constructor(source: PieceSource<Head>) {
    this.#source = source;
    this.#message = source.first;
    this.#second = source.second;
    this.#second?.catch(() => undefined);
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    while (!this.#over) {
      try {
        const message = this.#message ?? (await this.#receive());
        this.#message = undefined;
        if (message === undefined) {
          break;
        }
        const piece = this.#take(message);
        if (piece !== undefined) {
          return { done: false, value: piece };
        }
      } catch (error) {
        await this.return();
        throw error;
      }
    }
    this.#finish();
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    if (!this.#over) {
      this.#finish();
      await this.#source.rest.return?.();
    }
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #receive(): Promise<StreamMessage<Head> | undefined> {
    const { rest, kind, isEmptyHead } = this.#source;
    let result: IteratorResult<StreamMessage<Head>>;
    try {
      const asked = this.#second;
      this.#second = undefined;
      result = await (asked ?? rest.next());
    } catch (error) {
      throw new Error(`error receiving message: ${goErrorText(error)}`, { cause: error });
    }
    if (result.done === true) {
      return undefined;
    }
    if (result.value.head !== undefined && !isEmptyHead(result.value.head)) {
      throw new Error(`${kind} metadata found in non-leading chunk`);
    }
    return result.value;
  }

  #take(message: StreamMessage<Head>): Uint8Array | undefined {
    const { payload, seq } = message;
    if (payload === undefined) {
      return undefined;
    }
    if (seq !== this.#expected) {
      throw new Error(`invalid sequence number received: ${seq} (expected: ${this.#expected})`);
    }
    this.#expected += 1;
    return payload.byteLength === 0 ? undefined : payload;
  }

  #finish(): void {
    if (!this.#over) {
      this.#over = true;
      this.#source.onOver();
    }
  }
}

/** A body's bytes as messages' pieces: none larger than the limit, none held back to fill another up. */
export async function* piecesOf(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  pieceBytesMax: number,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    if (chunk.byteLength <= pieceBytesMax) {
      yield chunk;
      continue;
    }
    for (let at = 0; at < chunk.byteLength; at += pieceBytesMax) {
      yield chunk.subarray(at, at + pieceBytesMax);
    }
  }
}
