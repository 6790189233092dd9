import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Clock } from "../../kit/clock.ts";
import { fetchWhole, type WholeResponse } from "../../net/http/fetch-whole.ts";
import { headerValue } from "../../net/http/headers.ts";

/** Bytes of an answer of a token endpoint. */
const TOKEN_ANSWER_BYTES_MAX = 1024 * 1024;
/** Milliseconds until it must be there. */
const TOKEN_TIMEOUT_MS = 30_000;
/** Characters of a token. */
const TOKEN_CHARACTERS_MAX = 16 * 1024;
/** Error codes as RFC 6749 allows them; what else a server says is not repeated, since it may hold secrets. */
const ERROR_CODE = /^[\x20-\x21\x23-\x5B\x5D-\x7E]{1,64}$/;

/** How a client proves who it is: `either` tries Basic credentials first, and keeps to what worked. */
export type ClientProof = "either" | "body" | "basic";

export interface TokenClient {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly proof: ClientProof;
  readonly clock: Clock;
}

/** A token as it goes into a header, and for how long; undefined: the server does not say. */
export interface IssuedToken {
  readonly header: string;
  readonly livesMs: number | undefined;
}

/** A token endpoint (RFC 6749 section 3.2). Its errors hold neither secrets nor tokens. */
export class TokenEndpoint {
  readonly #client: TokenClient;
  #proof: ClientProof;

  constructor(client: TokenClient) {
    this.#client = client;
    this.#proof = client.proof;
  }

  /** @throws Error saying what the server answered */
  async request(form: URLSearchParams, signal?: CancelSignal): Promise<IssuedToken> {
    if (this.#proof !== "either") {
      return await this.#send(form, this.#proof, signal);
    }
    try {
      const token = await this.#send(form, "basic", signal);
      this.#proof = "basic";
      return token;
    } catch (error) {
      if (signal?.aborted === true) {
        throw error;
      }
    }
    const token = await this.#send(form, "body", signal);
    this.#proof = "body";
    return token;
  }

  async #send(form: URLSearchParams, proof: "body" | "basic", signal: CancelSignal | undefined): Promise<IssuedToken> {
    const { tokenUrl, clientId, clientSecret, clock } = this.#client;
    const body = new URLSearchParams(form);
    const headers = ["content-type", "application/x-www-form-urlencoded", "accept", "application/json"];
    if (proof === "basic") {
      const pair = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`;
      headers.push("authorization", `Basic ${Buffer.from(pair).toString("base64")}`);
    } else {
      body.set("client_id", clientId);
      if (clientSecret !== "") {
        body.set("client_secret", clientSecret);
      }
    }
    const answer = await fetchWhole(tokenUrl, {
      method: "POST",
      headers,
      body: Buffer.from(body.toString()),
      bytesMax: TOKEN_ANSWER_BYTES_MAX,
      timeoutMs: TOKEN_TIMEOUT_MS,
      redirectsMax: 0,
      clock,
      signal,
    });
    return readToken(answer);
  }
}

function formEncoded(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}

/** Exported for tests: JSON as the RFC says, or a form, as some servers have it. */
export function readToken({ status, headers, body }: WholeResponse): IssuedToken {
  const values = valuesOf(body, headerValue(headers, "content-type") ?? "");
  if (status < 200 || status > 299) {
    const error = values["error"];
    const code = typeof error === "string" ? error : "";
    throw new Error(`oauth2: cannot fetch token: ${status}${ERROR_CODE.test(code) ? ` ${code}` : ""}`);
  }
  const accessToken = values["access_token"];
  if (typeof accessToken !== "string" || accessToken === "") {
    throw new Error("oauth2: server response missing access_token");
  }
  if (accessToken.length > TOKEN_CHARACTERS_MAX) {
    throw new Error(`oauth2: the token has more than the limit of ${TOKEN_CHARACTERS_MAX} characters`);
  }
  const seconds = Number(values["expires_in"] ?? 0);
  const livesMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : undefined;
  return { header: `${typeText(values["token_type"])} ${accessToken}`, livesMs };
}

function valuesOf(body: Uint8Array, contentType: string): Readonly<Record<string, unknown>> {
  const text = Buffer.from(body).toString();
  const type = contentType.split(";")[0]?.trim().toLowerCase();
  if (type === "application/x-www-form-urlencoded" || type === "text/plain") {
    return Object.fromEntries(new URLSearchParams(text));
  }
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** As Go's oauth2 package writes types. */
function typeText(type: unknown): string {
  const text = typeof type === "string" ? type : "";
  switch (text.toLowerCase()) {
    case "":
    case "bearer":
      return "Bearer";
    case "mac":
      return "MAC";
    case "basic":
      return "Basic";
    default:
      return text;
  }
}
