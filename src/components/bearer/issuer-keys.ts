import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import type { Clock, Timer } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import { fetchWhole, type WholeResponse } from "../../net/http/fetch-whole.ts";
import { headerValue } from "../../net/http/headers.ts";
import {
  DOCUMENT_BYTES_MAX,
  FETCH_TIMEOUT_MS,
  KEYS_MAX,
  REDIRECTS_MAX,
  REFRESH_MS_MAX,
  REFRESH_MS_MIN,
  UNKNOWN_KEY_REFRESH_MS,
} from "./limits.ts";

interface KeySet {
  readonly find: JWTVerifyGetKey;
  readonly ids: ReadonlySet<string>;
}

/** An issuer's public keys, fetched again as its server allows; a set that cannot be fetched leaves the last one in use. */
export class IssuerKeys {
  readonly #url: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  #keys: KeySet | undefined;
  #timer: Timer | undefined;
  #refreshing: Promise<void> | undefined;
  #fetchedAtMs = 0;

  constructor(url: string, clock: Clock, logger: Logger) {
    this.#url = url;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @throws Error when the first set cannot be fetched */
  async open(signal: AbortSignal): Promise<void> {
    await this.#fetch(AbortSignal.any([signal, this.#closing.signal]));
  }

  /** The set that has the key, where there is one; an unknown key is reason enough to ask for a new set, once in a while. */
  async setWith(kid: string): Promise<JWTVerifyGetKey | undefined> {
    if (this.#keys?.ids.has(kid) !== true && this.#clock.monotonicMs() - this.#fetchedAtMs >= UNKNOWN_KEY_REFRESH_MS) {
      await this.#refresh();
    }
    return this.#keys?.ids.has(kid) === true ? this.#keys.find : undefined;
  }

  close(): void {
    this.#timer?.cancel();
    this.#closing.abort(new Error("the component is closed"));
  }

  #refresh(): Promise<void> {
    this.#refreshing ??= this.#fetch(this.#closing.signal)
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted) {
          this.#logger.warn(`Error while refreshing JWKS cache: ${errorMessage(error)}`);
          this.#scheduleRefresh(REFRESH_MS_MIN);
        }
      })
      .finally(() => {
        this.#refreshing = undefined;
      });
    return this.#refreshing;
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    this.#fetchedAtMs = this.#clock.monotonicMs();
    const answer = await fetchWhole(this.#url, {
      method: "GET",
      headers: ["accept", "application/json"],
      bytesMax: DOCUMENT_BYTES_MAX,
      timeoutMs: FETCH_TIMEOUT_MS,
      redirectsMax: REDIRECTS_MAX,
      clock: this.#clock,
      signal,
    });
    if (answer.status !== 200) {
      throw new Error(`failed to fetch ${JSON.stringify(this.#url)} (status = ${answer.status})`);
    }
    this.#keys = parseKeySet(answer.body);
    this.#scheduleRefresh(keepMsOf(answer));
  }

  #scheduleRefresh(delayMs: number): void {
    this.#timer?.cancel();
    if (!this.#closing.signal.aborted) {
      this.#timer = this.#clock.after(delayMs, () => void this.#refresh());
    }
  }
}

function parseKeySet(body: Uint8Array): KeySet {
  let set: JSONWebKeySet;
  try {
    set = JSON.parse(Buffer.from(body).toString()) as JSONWebKeySet;
    if (set.keys.length > KEYS_MAX) {
      throw new Error(`it has ${set.keys.length} keys, more than the limit of ${KEYS_MAX}`);
    }
    const ids = new Set(set.keys.map(({ kid }) => kid).filter((kid) => typeof kid === "string"));
    return { find: createLocalJWKSet(set), ids };
  } catch (cause) {
    throw new Error(`failed to parse JWKS: ${errorMessage(cause)}`, { cause });
  }
}

function keepMsOf({ headers }: WholeResponse): number {
  const seconds = /(?:^|[\s,])max-age="?([0-9]{1,9})/i.exec(headerValue(headers, "cache-control") ?? "")?.[1];
  return Math.min(REFRESH_MS_MAX, Math.max(REFRESH_MS_MIN, Number(seconds ?? 0) * 1_000));
}
