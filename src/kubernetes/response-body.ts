import type { HttpResponse } from "../net/http/types.ts";

const LINE_FEED = 10;

/** @throws Error for a body over the limit */
export async function wholeBody({ body }: HttpResponse, bytesMax: number): Promise<string> {
  if (body instanceof Uint8Array) {
    return Buffer.from(body).toString("utf8");
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > bytesMax) {
      throw new Error(`the answer of the Kubernetes API has more than the limit of ${bytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The values of a stream of JSON, one on each line. @throws Error for a line over the limit, SyntaxError for no JSON */
export async function* jsonLines({ body }: HttpResponse, lineBytesMax: number): AsyncIterable<unknown> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      pieces.push(chunk.subarray(from, end));
      from = end + 1;
      yield* valueOf(pieces);
      pieces = [];
      length = 0;
    }
    const rest = chunk.subarray(from);
    length += rest.length;
    if (length > lineBytesMax) {
      throw new Error(`an event of the Kubernetes API has more than the limit of ${lineBytesMax} bytes`);
    }
    pieces.push(rest);
  }
  // A server may end its last line with the stream.
  yield* valueOf(pieces);
}

function* valueOf(pieces: readonly Uint8Array[]): Iterable<unknown> {
  const line = Buffer.concat(pieces).toString("utf8").trim();
  if (line !== "") {
    yield JSON.parse(line);
  }
}
