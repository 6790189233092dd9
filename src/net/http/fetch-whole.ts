import { Cancellation, type CancelSignal } from "../../kit/cancel-signal.ts";
import type { Clock } from "../../kit/clock.ts";
import { createHttpClient } from "./client.ts";
import { EMPTY_BODY, headerValue, joinChunks } from "./headers.ts";
import type { Body, HeaderList } from "./types.ts";

/** A request to some server outside, whose answer is small and wanted whole. */
export interface WholeRequest {
  readonly method: "GET" | "POST";
  readonly headers: HeaderList;
  readonly body?: Uint8Array;
  /** Bytes of the answer's body; one with more is an error. */
  readonly bytesMax: number;
  /** Milliseconds for all of it, redirects and body included. */
  readonly timeoutMs: number;
  /** How often a redirect is followed; 0: it is an answer like any other. */
  readonly redirectsMax: number;
  readonly clock: Clock;
  readonly signal?: CancelSignal | undefined;
}

export interface WholeResponse {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Sends a request to an http or https URL on a connection of its own.
 * @throws HttpClientError when no answer came in time; Error for a URL that is none, too many redirects or bytes. None of
 * them holds headers or bodies.
 */
export async function fetchWhole(url: string, request: WholeRequest): Promise<WholeResponse> {
  const signal = new Cancellation();
  const timer = request.clock.after(request.timeoutMs, () =>
    signal.abort(new Error(`no answer within ${request.timeoutMs} ms`)),
  );
  const onAbort = (): void => signal.abort(request.signal?.reason ?? new Error("aborted"));
  request.signal?.addEventListener("abort", onAbort, { once: true });
  if (request.signal?.aborted === true) {
    onAbort();
  }
  try {
    return await follow(httpUrlOf(url), request, signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    timer.cancel();
    request.signal?.removeEventListener("abort", onAbort);
  }
}

async function follow(first: URL, request: WholeRequest, signal: CancelSignal): Promise<WholeResponse> {
  let url = first;
  for (let redirects = 0; ; redirects += 1) {
    const answer = await send(url, request, signal);
    const location = REDIRECTS.has(answer.status) ? headerValue(answer.headers, "location") : undefined;
    if (location === undefined || request.redirectsMax === 0) {
      return answer;
    }
    if (redirects === request.redirectsMax) {
      throw new Error(`stopped after ${request.redirectsMax} redirects`);
    }
    url = httpUrlOf(location, url);
  }
}

async function send(url: URL, request: WholeRequest, signal: CancelSignal): Promise<WholeResponse> {
  const client = createHttpClient(url.origin, { connectionsMax: 1 });
  try {
    const { status, headers, body } = await client.request({
      method: request.method,
      target: url.pathname + url.search,
      headers: request.headers,
      body: request.body ?? EMPTY_BODY,
      signal,
    });
    return { status, headers, body: await readWithin(body, request.bytesMax) };
  } finally {
    await client.close();
  }
}

async function readWithin(body: Body, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    length += chunk.byteLength;
    if (length > bytesMax) {
      throw new Error(`the answer has more than the limit of ${bytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  return joinChunks(chunks, length);
}

function httpUrlOf(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new Error("not an http or https URL");
  }
  return url;
}
