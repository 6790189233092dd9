import type { KeyObject } from "node:crypto";
import type { ComponentMetadata } from "../../components/spi/component.ts";
import { ComponentError } from "../../components/spi/errors.ts";
import { goQuote } from "../../kit/go-quote.ts";
import { decodeJsonString } from "../../kit/json-scanner.ts";
import { crypto } from "../../kit/lazy-builtins.ts";
import type { Random } from "../../kit/random.ts";

const SEPARATOR = "||";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const QUOTE = 0x22;

interface NamedKey {
  readonly name: string;
  readonly algorithm: "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm";
  readonly key: KeyObject;
}

/**
 * Encrypts a store's values in Dapr's format (pkg/encryption): `base64(nonce ‖ ciphertext ‖ tag)||<secret's name>` with
 * AES-GCM. The name picks the key when reading, so a key can be replaced by making the old one secondary.
 */
export class StateCipher {
  readonly #primary: NamedKey;
  readonly #secondary: NamedKey | undefined;
  readonly #random: Random;

  constructor(primary: NamedKey, secondary: NamedKey | undefined, random: Random) {
    this.#primary = primary;
    this.#secondary = secondary;
    this.#random = random;
  }

  /**
   * Encrypts what a caller saved. Of a JSON string the characters are encrypted, without quotes, as in Dapr. Dapr encrypts
   * other JSON values in Go's print form (`map[a:1]`, `<nil>`), from which nobody gets them back: we encrypt their JSON.
   */
  encrypt(value: Uint8Array, valueIsJson: boolean): Uint8Array {
    const plain = valueIsJson && value[0] === QUOTE ? Buffer.from(decodeJsonString(value)) : value;
    const { algorithm, key, name } = this.#primary;
    const nonce = this.#random.bytes(NONCE_BYTES);
    const cipher = crypto().createCipheriv(algorithm, key, nonce);
    const sealed = Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    return Buffer.from(`${sealed.toString("base64")}${SEPARATOR}${name}`);
  }

  /** @throws ComponentError `invalidRequest` with Dapr's text when the value is none of ours or has been changed */
  decrypt(store: string, stored: Uint8Array): Uint8Array {
    const text = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength).toString("utf8");
    const separator = text.lastIndexOf(SEPARATOR);
    const name = separator === -1 ? "" : text.slice(separator + SEPARATOR.length);
    if (name === "") {
      throw unreadable(`could not decrypt data for state store ${store}: encryption key name not found on record`);
    }
    const key = this.#keyNamed(name);
    if (key === undefined) {
      throw unreadable(`could not decrypt data for state store ${store}: no encryption key named ${name}`);
    }
    return open(key, decodeBase64(text.slice(0, separator)));
  }

  #keyNamed(name: string): NamedKey | undefined {
    if (this.#primary.name === name) {
      return this.#primary;
    }
    return this.#secondary?.name === name ? this.#secondary : undefined;
  }
}

/**
 * The cipher that a store's metadata asks for: `primaryEncryptionKey` and `secondaryEncryptionKey`, hex text of 16, 24 or
 * 32 bytes, each from a secret whose name is written next to every value. Undefined without a primary key from a secret.
 * @throws ComponentError `invalidMetadata` for a key that cannot be used
 */
export function stateCipherOf(
  metadata: ComponentMetadata,
  secretNames: Readonly<Record<string, string>>,
  random: Random,
): StateCipher | undefined {
  const primary = keyOf("primaryEncryptionKey", metadata, secretNames);
  return primary === undefined
    ? undefined
    : new StateCipher(primary, keyOf("secondaryEncryptionKey", metadata, secretNames), random);
}

function keyOf(
  field: string,
  metadata: ComponentMetadata,
  secretNames: Readonly<Record<string, string>>,
): NamedKey | undefined {
  const hex = metadata[field] ?? "";
  const name = secretNames[field] ?? "";
  if (hex === "" || name === "") {
    return undefined;
  }
  const key = decodeHex(hex);
  const algorithm =
    key.length === 16
      ? "aes-128-gcm"
      : key.length === 24
        ? "aes-192-gcm"
        : key.length === 32
          ? "aes-256-gcm"
          : undefined;
  if (algorithm === undefined) {
    throw new ComponentError("invalidMetadata", `crypto/aes: invalid key size ${key.length}`);
  }
  return { name, algorithm, key: crypto().createSecretKey(key) };
}

function open({ algorithm, key }: NamedKey, sealed: Buffer): Uint8Array {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) {
    throw unreadable("cipher: message authentication failed");
  }
  const decipher = crypto().createDecipheriv(algorithm, key, sealed.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plain = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES));
  try {
    decipher.final();
  } catch (cause) {
    throw new ComponentError("invalidRequest", "cipher: message authentication failed", { cause });
  }
  return plain;
}

function decodeHex(text: string): Buffer {
  const wrong = /[^0-9a-f]/i.exec(text)?.[0];
  if (wrong !== undefined) {
    const code = (wrong.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    throw new ComponentError(
      "invalidMetadata",
      `encoding/hex: invalid byte: U+${code} '${goQuote(wrong).slice(1, -1)}'`,
    );
  }
  if (text.length % 2 !== 0) {
    throw new ComponentError("invalidMetadata", "encoding/hex: odd length hex string");
  }
  return Buffer.from(text, "hex");
}

function decodeBase64(text: string): Buffer {
  const end = text.search(/[^A-Za-z0-9+/]/);
  const digits = end === -1 ? text.length : end;
  const padding = text.slice(digits);
  if (text.length % 4 !== 0 || !(padding === "" || padding === "=" || padding === "==")) {
    throw unreadable(`illegal base64 data at input byte ${digits}`);
  }
  return Buffer.from(text, "base64");
}

function unreadable(message: string): ComponentError {
  return new ComponentError("invalidRequest", message);
}
