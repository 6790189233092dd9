import { readFile, stat } from "node:fs/promises";
import type { JWK } from "jose";
import { Cancellation } from "../../../kit/cancel-signal.ts";
import type { Clock, Timer } from "../../../kit/clock.ts";
import { errorMessage } from "../../../kit/error-message.ts";
import type { Logger } from "../../../kit/logger.ts";
import { createHttpClient } from "../../../net/http/client.ts";
import type { HttpClient, HttpResponse } from "../../../net/http/types.ts";
import { FileWatch } from "../file-watch.ts";
import { readBounded } from "../issuer/file-store.ts";
import { firstPemBlock } from "../issuer/pem.ts";
import { parseKeySet } from "../jwt/key-set.ts";
import { JWKS_BYTES_MAX } from "../limits.ts";

export interface KeySetOptions {
  /** A URL, the path of a file, or the set itself, JSON or base64 of it. */
  readonly source: string;
  /** For https: PEM or a file of it; empty for the system's authorities. */
  readonly caCertificate: string;
  readonly refreshMs: number;
  readonly requestTimeoutMs: number;
}

/** The keys that tokens are checked with, kept fresh from where they come from. */
export class KeySetCache {
  /** Those of the last set that could be read. */
  keys: readonly JWK[] = [];
  readonly #options: KeySetOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #stopping = new Cancellation();
  #client: HttpClient | undefined;
  #timer: Timer | undefined;
  #watch: FileWatch | undefined;

  constructor(options: KeySetOptions, clock: Clock, logger: Logger) {
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @throws Error naming the source that has no keys to begin with */
  async start(): Promise<void> {
    try {
      await this.#init();
    } catch (cause) {
      throw new Error(`failed to init cache: ${errorMessage(cause)}`, { cause });
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the validator stops"));
    this.#timer?.cancel();
    this.#watch?.stop();
    await this.#client?.close();
  }

  async #init(): Promise<void> {
    const { source } = this.#options;
    if (source === "") {
      throw new Error("property 'location' must not be empty");
    }
    if (/^https?:\/\//.test(source)) {
      if (source.startsWith("http:")) {
        this.#logger.warn(
          "Loading JWK from an HTTP endpoint without TLS: this is not recommended on production environments.",
        );
      }
      await this.#openUrl(new URL(source));
    } else if (await isFile(source)) {
      this.keys = parseKeySet(await readBounded(source));
      this.#throwIfStopped();
      this.#watch = new FileWatch({
        paths: [source],
        clock: this.#clock,
        onChange: () => this.#refresh(async () => parseKeySet(await readBounded(source))),
      });
    } else {
      this.keys = inlineKeys(source);
    }
  }

  async #openUrl(url: URL): Promise<void> {
    const ca = await certificateAuthorities(this.#options.caCertificate);
    this.#throwIfStopped();
    this.#client = createHttpClient(url.origin, { connectionsMax: 1, ca, inlineBodyBytesMax: 0 });
    const fetch = () => this.#fetch(url);
    try {
      this.keys = await fetch();
    } catch (cause) {
      throw new Error(`failed to fetch JWKS: ${errorMessage(cause)}`, { cause });
    }
    this.#throwIfStopped();
    this.#timer = this.#clock.every(this.#options.refreshMs, () => void this.#refresh(fetch));
  }

  /** What is begun behind a stop would never end. */
  #throwIfStopped(): void {
    if (this.#stopping.aborted) {
      throw this.#stopping.reason;
    }
  }

  /** Keys that cannot be had leave those from before in place. */
  async #refresh(read: () => Promise<readonly JWK[]>): Promise<void> {
    try {
      this.keys = await read();
    } catch (error) {
      if (!this.#stopping.aborted) {
        this.#logger.warn(`Error while refreshing JWKS cache: ${errorMessage(error)}`);
      }
    }
  }

  async #fetch(url: URL): Promise<readonly JWK[]> {
    const response = await (this.#client as HttpClient).request({
      method: "GET",
      target: `${url.pathname}${url.search}`,
      headers: ["host", url.host, "accept", "application/json"],
      body: new Uint8Array(),
      headTimeoutMs: this.#options.requestTimeoutMs,
      signal: this.#stopping,
    });
    const text = await bodyText(response, this.#clock, this.#options.requestTimeoutMs);
    if (response.status !== 200) {
      throw new Error(`${url.origin} answered with status ${response.status}`);
    }
    return parseKeySet(text);
  }
}

/** @throws Error for one that is over the limit, or does not come in time */
async function bodyText({ body }: HttpResponse, clock: Clock, timeoutMs: number): Promise<string> {
  if (body instanceof Uint8Array) {
    return Buffer.from(body).toString("utf8");
  }
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => undefined);
  const timer = clock.after(timeoutMs, () => late.reject(new Error(`no whole JWKS within ${timeoutMs} ms`)));
  const iterator = body[Symbol.asyncIterator]();
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), late.promise]);
      if (next.done === true) {
        return Buffer.concat(chunks).toString("utf8");
      }
      chunks.push(next.value);
      length += next.value.length;
      if (length > JWKS_BYTES_MAX) {
        throw new Error(`a JWKS has at most ${JWKS_BYTES_MAX} bytes, and this one more`);
      }
    }
  } finally {
    timer.cancel();
    await iterator.return?.();
  }
}

async function certificateAuthorities(text: string): Promise<string | undefined> {
  if (text === "") {
    return undefined;
  }
  const pem = firstPemBlock(text) === undefined ? await caFile(text) : text;
  if (firstPemBlock(pem)?.type !== "CERTIFICATE") {
    throw new Error("failed to add root certificate to certificate pool");
  }
  return pem;
}

async function caFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new Error(
      `failed to load CA certificate: value is neither a valid file path or nor a valid PEM-encoded string: ${errorMessage(cause)}`,
      { cause },
    );
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

function inlineKeys(source: string): readonly JWK[] {
  const bare = source.trim().replace(/=+$/, "");
  const text = /^[A-Za-z0-9+/]+$/.test(bare) ? Buffer.from(bare, "base64").toString("utf8") : source;
  try {
    return parseKeySet(text);
  } catch (cause) {
    throw new Error(
      `failed to parse property 'location': not a URL, path to local file, or JSON value (optionally base64-encoded): ${errorMessage(cause)}`,
      { cause },
    );
  }
}
