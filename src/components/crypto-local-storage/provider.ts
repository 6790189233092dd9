import { readFile, stat } from "node:fs/promises";
import { extname, join, normalize, resolve } from "node:path";
import { CryptoFailure } from "../../kit/crypto/crypto-failure.ts";
import type { Key } from "../../kit/crypto/key.ts";
import { type KeyFormat, parseKey } from "../../kit/crypto/parse-key.ts";
import { goFileError } from "../../kit/go-file-error.ts";
import type { ComponentDeps, ComponentMetadata } from "../spi/component.ts";
import type { CryptoProvider } from "../spi/crypto.ts";
import { ComponentError } from "../spi/errors.ts";
import { LocalCryptoProvider } from "../spi/local-crypto.ts";
import { decodeMetadata } from "../spi/metadata.ts";
import { cryptoLocalStorageFields } from "./manifest.ts";

/** Bytes of a file that is taken for a key. */
const KEY_FILE_BYTES_MAX = 1024 * 1024;

const FORMATS: Readonly<Record<string, KeyFormat>> = { ".json": "jwk", ".pem": "pem" };

export function createCryptoLocalStorage(deps: ComponentDeps): CryptoProvider {
  return new CryptoLocalStorage(deps);
}

/** Reads a key's file whenever the key is used, so that a key that is replaced counts at once. */
class CryptoLocalStorage extends LocalCryptoProvider {
  readonly #deps: ComponentDeps;
  #folder: string | undefined;

  constructor(deps: ComponentDeps) {
    super();
    this.#deps = deps;
  }

  async init(metadata: ComponentMetadata): Promise<void> {
    const { name: component, logger, directory } = this.#deps;
    const { path } = decodeMetadata(cryptoLocalStorageFields, metadata, { component, logger });
    const folder = directory === undefined ? normalize(path) : resolve(directory, path);
    let found;
    try {
      found = await stat(folder);
    } catch (cause) {
      throw wrongPath(`could not stat path '${folder}': ${goFileError("stat", folder, cause)}`, cause);
    }
    if (!found.isDirectory()) {
      throw wrongPath(`path '${folder}' is not a directory`);
    }
    this.#folder = folder;
  }

  async close(): Promise<void> {
    this.#folder = undefined;
  }

  protected async retrieve(keyName: string): Promise<Key> {
    if (this.#folder === undefined) {
      throw new ComponentError("unavailable", "the crypto provider is closed");
    }
    if (keyName.includes("..")) {
      throw new ComponentError("invalidRequest", "invalid key path: cannot contain '..'");
    }
    const path = join(this.#folder, keyName);
    try {
      return parseKey(await readKeyFile(keyName, path), FORMATS[extname(path).toLowerCase()]);
    } catch (cause) {
      if (cause instanceof CryptoFailure) {
        throw new ComponentError("invalidRequest", `failed to parse key from secret: ${cause.message}`, { cause });
      }
      throw cause;
    }
  }
}

async function readKeyFile(keyName: string, path: string): Promise<Uint8Array> {
  let reason;
  let cause: unknown;
  try {
    const found = await stat(path);
    if (found.isFile() && found.size <= KEY_FILE_BYTES_MAX) {
      return await readFile(path);
    }
    reason = found.isDirectory()
      ? `read ${path}: is a directory`
      : `${path} has ${found.size} bytes, or is no file: a key is a file of at most ${KEY_FILE_BYTES_MAX} bytes`;
  } catch (error) {
    cause = error;
    reason = goFileError("open", path, error);
  }
  throw new ComponentError("notFound", `failed to load key '${keyName}': ${reason}`, {
    cause,
    facts: { key: keyName },
  });
}

function wrongPath(reason: string, cause?: unknown): ComponentError {
  return new ComponentError("invalidMetadata", `failed to load metadata: ${reason}`, { cause });
}
