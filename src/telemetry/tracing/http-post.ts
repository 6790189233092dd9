import type { Clock } from "../../kit/clock.ts";
import type { HeaderList, HttpClient } from "../../net/http/types.ts";
import { HttpClientError } from "../../net/http/errors.ts";
import { ExportError } from "./span-batcher.ts";

/** Statuses that say: not now (OTLP specification, "Retryable Response Codes"). */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
/** Bytes of an answer that are read; only its status matters, and an error's text. */
const ANSWER_BYTES_MAX = 4_096;

/** A batch on its way to a back end that takes it by HTTP. */
export interface TracePost {
  readonly target: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
}

/** Posts one batch. @throws ExportError where another attempt is worth it, Error otherwise */
export async function postTraces(client: HttpClient, post: TracePost, clock: Clock): Promise<void> {
  const { target, headers, body, timeoutMs } = post;
  const abort = new AbortController();
  const timer = clock.after(timeoutMs, () => abort.abort(new Error(`no answer within ${timeoutMs} ms`)));
  try {
    const response = await client.request({ method: "POST", target, headers, body, signal: abort.signal });
    const text = await startOf(response.body);
    const { status } = response;
    if (status >= 200 && status < 300) {
      return;
    }
    const message = `status ${status}${text === "" ? "" : `: ${text}`}`;
    throw RETRYABLE.has(status) ? new ExportError(message, retryAfterMs(response.headers)) : new Error(message);
  } catch (error) {
    if (error instanceof HttpClientError) {
      throw new ExportError(abort.signal.aborted ? String(abort.signal.reason) : error.message, undefined, error);
    }
    throw error;
  } finally {
    timer.cancel();
  }
}

async function startOf(body: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> {
  if (body instanceof Uint8Array) {
    return printable(body);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.byteLength;
    if (length >= ANSWER_BYTES_MAX) {
      break;
    }
  }
  return printable(Buffer.concat(chunks));
}

/** Errors of OTLP are protobuf; of that the letters are enough. */
function printable(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 256))
    .toString("latin1")
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim();
}

/** `Retry-After` in seconds; a date is not worth reading. */
function retryAfterMs(headers: HeaderList): number | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === "retry-after" && /^\d{1,6}$/.test(headers[index + 1] ?? "")) {
      return Number(headers[index + 1]) * 1_000;
    }
  }
  return undefined;
}
