import { constants, type KeyObject, privateDecrypt, publicEncrypt, webcrypto } from "node:crypto";
import { CryptoFailure, keyTypeMismatch } from "./crypto-failure.ts";
import { type Key, publicHalf } from "./key.ts";

/** RSA encryption schemes by name; undefined stands for PKCS #1 v1.5, which has no hash. */
export const ASYMMETRIC_ALGORITHMS: ReadonlyMap<string, OaepHash | undefined> = new Map([
  ["RSA1_5", undefined],
  ["RSA-OAEP", { name: "sha1", webName: "SHA-1", bytes: 20 }],
  ["RSA-OAEP-256", { name: "sha256", webName: "SHA-256", bytes: 32 }],
  ["RSA-OAEP-384", { name: "sha384", webName: "SHA-384", bytes: 48 }],
  ["RSA-OAEP-512", { name: "sha512", webName: "SHA-512", bytes: 64 }],
]);

interface OaepHash {
  readonly name: string;
  readonly webName: string;
  readonly bytes: number;
}

const PKCS1_OVERHEAD_BYTES = 11;

/** @param label OAEP's; ignored with PKCS #1 v1.5. @throws CryptoFailure */
export function encryptWithPublicKey(
  plaintext: Uint8Array,
  hash: OaepHash | undefined,
  key: Key,
  label: Uint8Array,
): Uint8Array {
  const object = rsa(publicHalf(key)?.object);
  const overhead = hash === undefined ? PKCS1_OVERHEAD_BYTES : 2 * hash.bytes + 2;
  if (plaintext.length > modulusBytes(object) - overhead) {
    throw new CryptoFailure("crypto/rsa: message too long for RSA key size");
  }
  return hash === undefined
    ? publicEncrypt({ key: object, padding: constants.RSA_PKCS1_PADDING }, plaintext)
    : publicEncrypt({ key: object, oaepHash: hash.name, oaepLabel: label }, plaintext);
}

/**
 * Decrypts off the main thread with OAEP, since a 4096-bit key takes milliseconds. With PKCS #1 v1.5 a ciphertext that
 * does not fit gives random bytes instead of an error: OpenSSL's answer to Bleichenbacher's attack.
 * @throws CryptoFailure
 */
export async function decryptWithPrivateKey(
  ciphertext: Uint8Array,
  hash: OaepHash | undefined,
  key: Key,
  label: Uint8Array,
): Promise<Uint8Array> {
  if (key.object.type !== "private") {
    throw keyTypeMismatch();
  }
  const object = rsa(key.object);
  try {
    if (hash === undefined) {
      return privateDecrypt({ key: object, padding: constants.RSA_PKCS1_PADDING }, ciphertext);
    }
    const web = object.toCryptoKey({ name: "RSA-OAEP", hash: hash.webName }, false, ["decrypt"]);
    return new Uint8Array(
      await webcrypto.subtle.decrypt(
        { name: "RSA-OAEP", label: new Uint8Array(label) },
        web,
        new Uint8Array(ciphertext),
      ),
    );
  } catch (cause) {
    throw new CryptoFailure("crypto/rsa: decryption error", { cause });
  }
}

function rsa(object: KeyObject | undefined): KeyObject {
  if (object?.asymmetricKeyType !== "rsa") {
    throw keyTypeMismatch();
  }
  return object;
}

function modulusBytes(object: KeyObject): number {
  return Math.ceil((object.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}
