import type { CancelSignal } from "../../kit/cancel-signal.ts";

export interface EncryptDocument {
  readonly keyName: string;
  /** `A256KW` (`AES`), `RSA-OAEP-256` (`RSA`) and others, in any case. */
  readonly keyWrapAlgorithm: string;
  /** `AES-GCM` or `CHACHA20-POLY1305` in any case; empty: the first. */
  readonly cipher: string;
  /** The document does not say which key it needs. */
  readonly omitKeyName: boolean;
  /** The key that it names for decryption; empty: `keyName`. */
  readonly decryptionKeyName: string;
  readonly signal?: CancelSignal | undefined;
}

export interface DecryptDocument {
  /** Instead of the key that the document names; empty: that one. */
  readonly keyName: string;
  readonly signal?: CancelSignal | undefined;
}

/** How a public key is written. */
export type PublicKeyFormat = "pem" | "json";

export interface PublicKey {
  readonly name: string;
  readonly publicKey: string;
}

interface Use {
  readonly keyName: string;
  /** A name of RFC 7518, written exactly so. */
  readonly algorithm: string;
  readonly signal?: CancelSignal | undefined;
}

export interface SubtleEncrypt extends Use {
  /** A small message; for `wrapKey` a key: a JWK, PEM, or the bytes of a symmetric one, as they are or as base64. */
  readonly plaintext: Uint8Array;
  readonly nonce: Uint8Array;
  readonly associatedData: Uint8Array;
}

export interface SubtleDecrypt extends Use {
  readonly ciphertext: Uint8Array;
  readonly nonce: Uint8Array;
  readonly tag: Uint8Array;
  readonly associatedData: Uint8Array;
}

export interface SubtleSign extends Use {
  readonly digest: Uint8Array;
}

export interface SubtleVerify extends SubtleSign {
  readonly signature: Uint8Array;
}

/** What has been encrypted; `tag` is empty where the algorithm has none. */
export interface Encrypted {
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/**
 * What can be done with the keys of one component. All methods throw ApiError of `cryptoErrors`. `encrypt` and `decrypt`
 * are for streams of any length; the others are for small messages and tell of failures no more than that there was one,
 * so that nobody learns about a key from them.
 */
export interface CryptoOperations {
  /**
   * Encrypts in Dapr's scheme `dapr.io/enc/v1`. Resolves when the document's key has been wrapped; the plaintext is read
   * as the result is.
   * @returns the header and then one chunk for each 64 KiB of plaintext; it throws ApiError, or what its source threw
   */
  encrypt(request: EncryptDocument, plaintext: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>>;
  /**
   * Decrypts what `encrypt` made. Resolves when the header has been authenticated; no byte of the plaintext is given before
   * its segment has been.
   * @returns as `encrypt` does; a document that is cut off or changed shows as the error of its last good segment's follower
   */
  decrypt(request: DecryptDocument, ciphertext: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>>;
  getKey(keyName: string, format: PublicKeyFormat, signal?: CancelSignal): Promise<PublicKey>;
  encryptMessage(request: SubtleEncrypt): Promise<Encrypted>;
  decryptMessage(request: SubtleDecrypt): Promise<Uint8Array>;
  wrapKey(request: SubtleEncrypt): Promise<Encrypted>;
  unwrapKey(request: SubtleDecrypt): Promise<Uint8Array>;
  sign(request: SubtleSign): Promise<Uint8Array>;
  verify(request: SubtleVerify): Promise<boolean>;
}
