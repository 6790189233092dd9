/**
 * UTF-8 text in capitals, chunk by chunk. As in Go, each code point has one capital of its own or stays as it is (`ß` does),
 * and what is no UTF-8 becomes U+FFFD.
 */
export class UppercaseBytes {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  convert(chunk: Uint8Array): Uint8Array {
    return Buffer.from(capitals(this.#decoder.decode(chunk, { stream: true })));
  }

  /** What a code point cut off at the end leaves. */
  end(): Uint8Array {
    return Buffer.from(capitals(this.#decoder.decode()));
  }
}

function capitals(text: string): string {
  const upper = text.toUpperCase();
  return upper.length === text.length ? upper : Array.from(text, capital).join("");
}

function capital(point: string): string {
  const upper = point.toUpperCase();
  return upper.length === point.length ? upper : point;
}
