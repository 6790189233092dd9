import type { Clock, Timer } from "../../kit/clock.ts";
import type { Key } from "../../kit/crypto/key.ts";
import { parseJwks } from "../../kit/crypto/parse-key.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { FetchedJwks } from "./fetch-jwks.ts";
import { type KeySet, keyNamed } from "./key-set.ts";

/** A set that is kept for longer than this is fetched again all the same. */
const REFRESH_MS_MAX = 24 * 60 * 60_000;

export interface UrlKeySetOptions {
  readonly requestTimeoutMs: number;
  readonly minRefreshMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Fetches the set; the signal is aborted at the timeout and at the end. */
  fetch(nowMs: number, signal: AbortSignal): Promise<FetchedJwks>;
  /** Told whether the last fetch has succeeded. */
  report(reason: string | undefined): void;
}

/** A set behind a URL, fetched again in the background. When that fails the keys stay as they were. */
export class UrlKeySet implements KeySet {
  readonly #options: UrlKeySetOptions;
  readonly #closing = new AbortController();
  #keys: readonly Key[] = [];
  #timer: Timer | undefined;

  constructor(options: UrlKeySetOptions) {
    this.#options = options;
  }

  /** Fetches the set for the first time. @throws Error when it cannot be had */
  async load(signal: AbortSignal): Promise<void> {
    try {
      this.#schedule(await this.#fetch(AbortSignal.any([signal, this.#closing.signal])));
    } catch (cause) {
      throw new Error(`failed to fetch JWKS: ${errorMessage(cause)}`, { cause });
    }
  }

  async find(kid: string): Promise<Key | undefined> {
    return keyNamed(this.#keys, kid);
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#closing.abort(new Error("the crypto provider is closed"));
    this.#keys = [];
  }

  /** @returns for how long the set may be kept */
  async #fetch(signal: AbortSignal): Promise<number | undefined> {
    const { clock, requestTimeoutMs } = this.#options;
    const limit = new AbortController();
    const timer = clock.after(requestTimeoutMs, () => limit.abort(new Error("context deadline exceeded")));
    try {
      const fetched = await this.#options.fetch(clock.now(), AbortSignal.any([signal, limit.signal]));
      this.#keys = parseJwks(fetched.text);
      return fetched.maxAgeMs;
    } catch (cause) {
      throw limit.signal.aborted ? new Error("context deadline exceeded", { cause }) : cause;
    } finally {
      timer.cancel();
    }
  }

  #schedule(maxAgeMs: number | undefined): void {
    const { clock, minRefreshMs } = this.#options;
    if (this.#closing.signal.aborted) {
      return;
    }
    const delayMs = Math.min(Math.max(minRefreshMs, maxAgeMs ?? 0), Math.max(minRefreshMs, REFRESH_MS_MAX));
    this.#timer = clock.after(delayMs, () => void this.#refresh());
  }

  async #refresh(): Promise<void> {
    let maxAgeMs: number | undefined;
    try {
      maxAgeMs = await this.#fetch(this.#closing.signal);
      this.#options.report(undefined);
    } catch (error) {
      if (!this.#closing.signal.aborted) {
        this.#options.logger.warn(`Error while refreshing JWKS cache: ${errorMessage(error)}`);
        this.#options.report(`the JWKS could not be refreshed: ${errorMessage(error)}`);
      }
    }
    this.#schedule(maxAgeMs);
  }
}
