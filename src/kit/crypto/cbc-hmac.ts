import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from "node:crypto";
import { CryptoFailure, invalidNonce, invalidTag, keyTypeMismatch } from "./crypto-failure.ts";
import { authenticate, transform } from "./pieces.ts";
import type { SymmetricAlgorithm } from "./symmetric-algorithm.ts";

const BLOCK_BYTES = 16;

/**
 * AES-CBC with HMAC (RFC 7518 section 5.2). The key is twice `halfBytes`: the MAC's half first. The tag is as long as one
 * half.
 */
export function cbcHmac(cipher: string, hash: string, halfBytes: number): SymmetricAlgorithm {
  const tagOf = async (key: Buffer, nonce: Uint8Array, ciphertext: Uint8Array, associatedData: Uint8Array) => {
    const mac = createHmac(hash, key.subarray(0, halfBytes));
    const associatedBits = Buffer.alloc(8);
    associatedBits.writeBigUInt64BE(BigInt(associatedData.length) * 8n);
    mac.update(associatedData);
    mac.update(nonce);
    await authenticate(mac, ciphertext);
    mac.update(associatedBits);
    return mac.digest().subarray(0, halfBytes);
  };
  const check = (key: Buffer, nonce: Uint8Array): void => {
    if (key.length !== 2 * halfBytes) throw keyTypeMismatch();
    if (nonce.length !== BLOCK_BYTES) throw invalidNonce();
  };
  return {
    async seal(key, plaintext, nonce, associatedData) {
      check(key, nonce);
      const ciphertext = await transform(createCipheriv(cipher, key.subarray(halfBytes), nonce), plaintext);
      return { ciphertext, tag: await tagOf(key, nonce, ciphertext, associatedData) };
    },
    async open(key, ciphertext, nonce, tag, associatedData) {
      check(key, nonce);
      if (tag.length !== halfBytes) throw invalidTag();
      if (!timingSafeEqual(tag, await tagOf(key, nonce, ciphertext, associatedData))) {
        throw new CryptoFailure("message authentication failed");
      }
      try {
        return await transform(createDecipheriv(cipher, key.subarray(halfBytes), nonce), ciphertext);
      } catch (cause) {
        throw new CryptoFailure("pkcs7: incorrect padding", { cause });
      }
    },
  };
}
