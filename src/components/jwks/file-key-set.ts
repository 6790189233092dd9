import { readFile, stat } from "node:fs/promises";
import type { Key } from "../../kit/crypto/key.ts";
import { parseJwks } from "../../kit/crypto/parse-key.ts";
import { errorMessage } from "../../kit/error-message.ts";
import { goFileError } from "../../kit/go-file-error.ts";
import type { Logger } from "../../kit/logger.ts";
import { type KeySet, keyNamed } from "./key-set.ts";
import { JWKS_BYTES_MAX } from "./limits.ts";

/** A set in a file, which is looked at whenever a key is wanted and read again when it has changed. */
export class FileKeySet implements KeySet {
  readonly #path: string;
  readonly #logger: Logger;
  #keys: readonly Key[] = [];
  /** What the file looked like when it was read. */
  #stamp = "";

  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  /** @throws Error when the file cannot be read */
  async load(): Promise<void> {
    let text;
    this.#stamp = await stampOf(this.#path);
    try {
      const { size } = await stat(this.#path);
      if (size > JWKS_BYTES_MAX) {
        throw new Error(`it has ${size} bytes, more than the limit of ${JWKS_BYTES_MAX}`);
      }
      text = await readFile(this.#path, "utf8");
    } catch (cause) {
      throw new Error(`failed to read JWKS file: ${goFileError("open", this.#path, cause)}`, { cause });
    }
    try {
      this.#keys = parseJwks(text);
    } catch (cause) {
      throw new Error(`failed to parse JWKS file: ${errorMessage(cause)}`, { cause });
    }
  }

  async find(kid: string): Promise<Key | undefined> {
    if ((await stampOf(this.#path)) !== this.#stamp) {
      try {
        await this.load();
      } catch (error) {
        this.#logger.error(`Error reading JWKS from disk: ${errorMessage(error)}`);
      }
    }
    return keyNamed(this.#keys, kid);
  }

  async close(): Promise<void> {
    this.#keys = [];
  }
}

/** Empty: there is no such file. */
async function stampOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return "";
  }
}
