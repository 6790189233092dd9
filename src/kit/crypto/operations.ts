import { ASYMMETRIC_ALGORITHMS, decryptWithPrivateKey, encryptWithPublicKey } from "./asymmetric.ts";
import { unsupportedAlgorithm } from "./crypto-failure.ts";
import { type Key, symmetricBytes } from "./key.ts";
import { SYMMETRIC_ALGORITHMS } from "./symmetric.ts";
import type { Sealed } from "./symmetric-algorithm.ts";

const NO_BYTES = new Uint8Array(0);

/** Encrypts a small message. Asymmetric algorithms take the public half, and need no nonce. @throws CryptoFailure */
export async function encryptWithKey(
  key: Key,
  algorithm: string,
  plaintext: Uint8Array,
  nonce: Uint8Array,
  associatedData: Uint8Array,
): Promise<Sealed> {
  const symmetric = SYMMETRIC_ALGORITHMS.get(algorithm);
  if (symmetric !== undefined) {
    return symmetric.seal(symmetricBytes(key), plaintext, nonce, associatedData);
  }
  if (!ASYMMETRIC_ALGORITHMS.has(algorithm)) {
    throw unsupportedAlgorithm();
  }
  const hash = ASYMMETRIC_ALGORITHMS.get(algorithm);
  return { ciphertext: encryptWithPublicKey(plaintext, hash, key, associatedData), tag: NO_BYTES };
}

/** Decrypts a small message. @throws CryptoFailure, also for a message that has been changed */
export async function decryptWithKey(
  key: Key,
  algorithm: string,
  ciphertext: Uint8Array,
  nonce: Uint8Array,
  tag: Uint8Array,
  associatedData: Uint8Array,
): Promise<Uint8Array> {
  const symmetric = SYMMETRIC_ALGORITHMS.get(algorithm);
  if (symmetric !== undefined) {
    return symmetric.open(symmetricBytes(key), ciphertext, nonce, tag, associatedData);
  }
  if (!ASYMMETRIC_ALGORITHMS.has(algorithm)) {
    throw unsupportedAlgorithm();
  }
  return decryptWithPrivateKey(ciphertext, ASYMMETRIC_ALGORITHMS.get(algorithm), key, associatedData);
}
