import { createHttpClient } from "../../net/http/client.ts";
import type { Body, HeaderList, HttpResponse } from "../../net/http/types.ts";
import { JWKS_BYTES_MAX, REDIRECTS_MAX } from "./limits.ts";

/** The text of a set, and for how long its server allows it to be kept. */
export interface FetchedJwks {
  readonly text: string;
  /** Undefined: the server does not say. */
  readonly maxAgeMs: number | undefined;
}

const NO_BODY = new Uint8Array(0);
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Fetches a set, following redirects. @param nowMs wall time. @throws Error saying what went wrong */
export async function fetchJwks(url: string, nowMs: number, signal: AbortSignal): Promise<FetchedJwks> {
  let next = new URL(url);
  for (let sent = 1; sent <= REDIRECTS_MAX; sent += 1) {
    const answer = await request(next, signal);
    const location = REDIRECTS.has(answer.status) ? headerOf(answer.headers, "location") : undefined;
    if (location === undefined) {
      if (answer.status !== 200) {
        throw new Error(`failed to process response: non-200 response code ${answer.status}`);
      }
      return { text: Buffer.from(answer.body).toString(), maxAgeMs: maxAgeOf(answer.headers, nowMs) };
    }
    next = new URL(location, next);
  }
  throw new Error(`stopped after ${REDIRECTS_MAX} redirects`);
}

async function request(url: URL, signal: AbortSignal): Promise<HttpResponse & { readonly body: Uint8Array }> {
  const client = createHttpClient(url.origin, { connectionsMax: 1 });
  try {
    const response = await client.request({
      method: "GET",
      target: url.pathname + url.search,
      headers: ["accept", "application/json"],
      body: NO_BODY,
      signal,
    });
    return { ...response, body: await readLimited(response.body) };
  } finally {
    await client.close();
  }
}

async function readLimited(body: Body): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    length += chunk.length;
    if (length > JWKS_BYTES_MAX) {
      throw new Error(`the JWKS has more than the limit of ${JWKS_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function maxAgeOf(headers: HeaderList, nowMs: number): number | undefined {
  const seconds = /(?:^|[\s,])max-age="?([0-9]{1,9})/i.exec(headerOf(headers, "cache-control") ?? "")?.[1];
  if (seconds !== undefined) {
    return Number(seconds) * 1_000;
  }
  const expiresMs = Date.parse(headerOf(headers, "expires") ?? "");
  return Number.isNaN(expiresMs) ? undefined : Math.max(0, expiresMs - nowMs);
}

function headerOf(headers: HeaderList, name: string): string | undefined {
  const at = headers.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === name);
  return at === -1 ? undefined : headers[at + 1];
}
