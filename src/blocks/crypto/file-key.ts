import type { KeyObject } from "node:crypto";
import { decodeGoBase64 } from "../../kit/go-base64.ts";
import { crypto } from "../../kit/lazy-builtins.ts";
import type { Random } from "../../kit/random.ts";
import type { DocumentCipher } from "./algorithms.ts";
import { DocumentError } from "./document-error.ts";

/** Name and version of the scheme: the first line of every document. */
export const SCHEME_NAME = "dapr.io/enc/v1";
/** Bytes of plaintext in a segment; only the last one is shorter. */
export const SEGMENT_BYTES = 64 * 1024;
/** How much longer a segment is when encrypted: its authentication tag. */
export const TAG_BYTES = 16;
export const NONCE_PREFIX_BYTES = 7;
export const FILE_KEY_BYTES = 32;

const NONCE_BYTES = 12;
const NO_SALT = new Uint8Array(0);

/** A document's own key with what is derived from it: one key for the header's MAC, one for the segments. */
export class FileKey {
  readonly bytes: Uint8Array;
  readonly noncePrefix: Uint8Array;
  readonly cipher: DocumentCipher;
  readonly #headerKey: KeyObject;
  readonly #payloadKey: KeyObject;

  /** @param bytes FILE_KEY_BYTES of them. @param noncePrefix NONCE_PREFIX_BYTES of them */
  constructor(bytes: Uint8Array, noncePrefix: Uint8Array, cipher: DocumentCipher) {
    this.bytes = bytes;
    this.noncePrefix = noncePrefix;
    this.cipher = cipher;
    this.#headerKey = derive(bytes, NO_SALT, "header");
    this.#payloadKey = derive(bytes, noncePrefix, "payload");
  }

  /** A new one for a new document. */
  static generate(random: Random, cipher: DocumentCipher): FileKey {
    const bytes = random.bytes(FILE_KEY_BYTES + NONCE_PREFIX_BYTES);
    return new FileKey(bytes.subarray(0, FILE_KEY_BYTES), bytes.subarray(FILE_KEY_BYTES), cipher);
  }

  /** The three lines that a document begins with. @throws DocumentError when they are longer than a segment */
  header(manifest: Uint8Array): Buffer {
    const signed = signedPart(manifest);
    const header = Buffer.concat([signed, Buffer.from(`${this.#mac(signed).toString("base64")}\n`)]);
    if (header.length > SEGMENT_BYTES) {
      throw new DocumentError("failed to sign header: header is too long");
    }
    return header;
  }

  /** @param mac the header's third line. @throws DocumentError when it is not that of this key and manifest */
  checkHeader(manifest: Uint8Array, mac: Uint8Array): void {
    const given = decodeGoBase64(Buffer.from(mac).toString("latin1"));
    if (typeof given === "number") {
      throw new DocumentError(`failed to decode header's signature: illegal base64 data at input byte ${given}`);
    }
    const expected = this.#mac(signedPart(manifest));
    if (given.length !== expected.length || !crypto().timingSafeEqual(given, expected)) {
      throw new DocumentError("failed to validate the document's signature");
    }
  }

  sealSegment(plaintext: Uint8Array, number: number, last: boolean): Buffer {
    const nonce = this.#nonce(number, last);
    const cipher =
      this.cipher === "AES-GCM"
        ? crypto().createCipheriv("aes-256-gcm", this.#payloadKey, nonce)
        : crypto().createCipheriv("chacha20-poly1305", this.#payloadKey, nonce, { authTagLength: TAG_BYTES });
    return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws DocumentError for a segment that has been changed, moved, or cut off */
  openSegment(ciphertext: Uint8Array, number: number, last: boolean): Buffer {
    const textBytes = ciphertext.length - TAG_BYTES;
    if (textBytes < 0) {
      throw notOpened(number);
    }
    const nonce = this.#nonce(number, last);
    const lengths = { authTagLength: TAG_BYTES };
    const decipher =
      this.cipher === "AES-GCM"
        ? crypto().createDecipheriv("aes-256-gcm", this.#payloadKey, nonce, lengths)
        : crypto().createDecipheriv("chacha20-poly1305", this.#payloadKey, nonce, lengths);
    decipher.setAuthTag(ciphertext.subarray(textBytes));
    const plaintext = decipher.update(ciphertext.subarray(0, textBytes));
    try {
      decipher.final();
    } catch (cause) {
      throw notOpened(number, cause);
    }
    return plaintext;
  }

  #mac(signed: Uint8Array): Buffer {
    return crypto().createHmac("sha256", this.#headerKey).update(signed).digest();
  }

  #nonce(number: number, last: boolean): Buffer {
    const nonce = Buffer.alloc(NONCE_BYTES);
    nonce.set(this.noncePrefix);
    nonce.writeUInt32BE(number, NONCE_PREFIX_BYTES);
    nonce[NONCE_BYTES - 1] = last ? 1 : 0;
    return nonce;
  }
}

function derive(key: Uint8Array, salt: Uint8Array, info: string): KeyObject {
  const { createSecretKey, hkdfSync } = crypto();
  return createSecretKey(Buffer.from(hkdfSync("sha256", key, salt, info, FILE_KEY_BYTES)));
}

function signedPart(manifest: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${SCHEME_NAME}\n`), manifest, Buffer.from("\n")]);
}

function notOpened(number: number, cause?: unknown): DocumentError {
  return new DocumentError(`error processing segment ${number}: failed to decrypt segment`, { cause });
}
