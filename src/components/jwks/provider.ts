import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { CryptoFailure } from "../../kit/crypto/crypto-failure.ts";
import type { Key } from "../../kit/crypto/key.ts";
import { parseJwks } from "../../kit/crypto/parse-key.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import type { CryptoProvider } from "../spi/crypto.ts";
import { ComponentError } from "../spi/errors.ts";
import { keyNotFound, LocalCryptoProvider } from "../spi/local-crypto.ts";
import { type DecodedMetadata, decodeMetadata } from "../spi/metadata.ts";
import { FileKeySet } from "./file-key-set.ts";
import { fixedKeySet, type KeySet } from "./key-set.ts";
import { jwksFields } from "./manifest.ts";
import { UrlKeySet } from "./url-key-set.ts";

const REQUEST_TIMEOUT_MS_DEFAULT = 30_000;
const MIN_REFRESH_MS_DEFAULT = 10 * 60_000;

export function createJwks(deps: ComponentDeps): CryptoProvider {
  return new Jwks(deps);
}

type Options = DecodedMetadata<typeof jwksFields>;

class Jwks extends LocalCryptoProvider {
  readonly #deps: ComponentDeps;
  #keys: KeySet | undefined;

  constructor(deps: ComponentDeps) {
    super();
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata, signal: AbortSignal): Promise<void> {
    if (Object.keys(metadata).length === 0) {
      throw new ComponentError("invalidMetadata", "empty metadata properties");
    }
    const { name: component, logger } = this.#deps;
    const options = decodeMetadata(jwksFields, metadata, { component, logger });
    const isUrl = /^https?:\/\//.test(options.jwks);
    try {
      this.#keys = isUrl ? await this.#fromUrl(options, signal) : await this.#fromText(options.jwks);
    } catch (cause) {
      const kind = isUrl ? "unavailable" : "invalidMetadata";
      throw new ComponentError(kind, `failed to init cache: ${errorMessage(cause)}`, { cause });
    }
  }

  async close(): Promise<void> {
    const keys = this.#keys;
    this.#keys = undefined;
    await keys?.close();
  }

  protected async retrieve(keyName: string): Promise<Key> {
    if (this.#keys === undefined) {
      throw new ComponentError("unavailable", "no JWKS loaded");
    }
    const key = await this.#keys.find(keyName);
    if (key === undefined) {
      throw keyNotFound();
    }
    return key;
  }

  async #fromUrl({ jwks: url, requestTimeout, minRefreshInterval }: Options, signal: AbortSignal): Promise<KeySet> {
    const { clock, logger } = this.#deps;
    if (url.startsWith("http:")) {
      logger.warn("Loading JWK from an HTTP endpoint without TLS: this is not recommended on production environments.");
    }
    const { fetchJwks } = await import("./fetch-jwks.ts");
    const keys = new UrlKeySet({
      requestTimeoutMs: requestTimeout < 1 ? REQUEST_TIMEOUT_MS_DEFAULT : requestTimeout,
      minRefreshMs: minRefreshInterval < 1_000 ? MIN_REFRESH_MS_DEFAULT : minRefreshInterval,
      clock,
      logger,
      fetch: (nowMs, stop) => fetchJwks(url, nowMs, stop),
      report: (reason) => this.#deps.report(reason === undefined ? "ready" : "degraded", reason),
    });
    await keys.load(signal);
    return keys;
  }

  /** The path of a file, or the set itself. */
  async #fromText(text: string): Promise<KeySet> {
    const { logger, directory } = this.#deps;
    const path = directory === undefined ? text : resolve(directory, text);
    if (await isFile(path)) {
      const keys = new FileKeySet(path, logger);
      await keys.load();
      return keys;
    }
    try {
      return fixedKeySet(parseJwks(decoded(text)));
    } catch (cause) {
      if (!(cause instanceof CryptoFailure)) {
        throw cause;
      }
      throw new Error(
        "failed to parse property 'location': not a URL, path to local file, or JSON value (optionally base64-encoded)",
        { cause },
      );
    }
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** Text that is base64 as a whole stands for what it encodes. */
function decoded(text: string): string {
  const digits = text.replace(/=+$/, "");
  return digits.length % 4 !== 1 && /^[A-Za-z0-9+/\r\n]*$/.test(digits)
    ? Buffer.from(digits, "base64").toString()
    : text;
}
