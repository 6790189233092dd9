import { createCipheriv, createDecipheriv } from "node:crypto";
import { errorMessage } from "../error-message.ts";
import { cbcHmac } from "./cbc-hmac.ts";
import {
  CryptoFailure,
  invalidCiphertextLength,
  invalidNonce,
  invalidPlaintextLength,
  invalidTag,
  keyTypeMismatch,
} from "./crypto-failure.ts";
import { transform } from "./pieces.ts";
import type { SymmetricAlgorithm } from "./symmetric-algorithm.ts";
import { hchacha20, XCHACHA_NONCE_BYTES } from "./xchacha.ts";

const BLOCK_BYTES = 16;
const AEAD_NONCE_BYTES = 12;
const AEAD_TAG_BYTES = 16;
const CHACHA_KEY_BYTES = 32;
/** AES key wrap works in six passes over all of a key, at once. */
const WRAPPED_KEY_BYTES_MAX = 64 * 1024;
const KEY_WRAP_UNIT_BYTES = 8;
const NO_BYTES = new Uint8Array(0);

/** The symmetric algorithms of Dapr's `crypto` components by their names (RFC 7518, and Dapr's own for CBC and ChaCha20). */
export const SYMMETRIC_ALGORITHMS: ReadonlyMap<string, SymmetricAlgorithm> = new Map([
  ["A128CBC", cbc("aes-128-cbc", 16)],
  ["A192CBC", cbc("aes-192-cbc", 24)],
  ["A256CBC", cbc("aes-256-cbc", 32)],
  ["A128GCM", gcm("aes-128-gcm", 16)],
  ["A192GCM", gcm("aes-192-gcm", 24)],
  ["A256GCM", gcm("aes-256-gcm", 32)],
  ["A128CBC-HS256", cbcHmac("aes-128-cbc", "sha256", 16)],
  ["A192CBC-HS384", cbcHmac("aes-192-cbc", "sha384", 24)],
  ["A256CBC-HS512", cbcHmac("aes-256-cbc", "sha512", 32)],
  ["A128KW", keyWrap("aes128-wrap", 16)],
  ["A192KW", keyWrap("aes192-wrap", 24)],
  ["A256KW", keyWrap("aes256-wrap", 32)],
  ["C20P", chacha()],
  ["C20PKW", chacha()],
  ["XC20P", xchacha()],
  ["XC20PKW", xchacha()],
]);

function cbc(cipher: string, keyBytes: number): SymmetricAlgorithm {
  const check = (key: Buffer, nonce: Uint8Array): void => {
    if (key.length !== keyBytes) throw keyTypeMismatch();
    if (nonce.length !== BLOCK_BYTES) throw invalidNonce();
  };
  return {
    async seal(key, plaintext, nonce) {
      check(key, nonce);
      return { ciphertext: await transform(createCipheriv(cipher, key, nonce), plaintext), tag: NO_BYTES };
    },
    async open(key, ciphertext, nonce) {
      check(key, nonce);
      if (ciphertext.length % BLOCK_BYTES !== 0) throw invalidCiphertextLength();
      if (ciphertext.length === 0) return NO_BYTES;
      return opening(() => transform(createDecipheriv(cipher, key, nonce), ciphertext), "pkcs7: incorrect padding");
    },
  };
}

type AeadCipher = "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm";

function gcm(cipher: AeadCipher, keyBytes: number): SymmetricAlgorithm {
  return aead("cipher", keyBytes, (key, nonce, associatedData) => {
    checkNonce(nonce, AEAD_NONCE_BYTES);
    return {
      encrypt: () => createCipheriv(cipher, key, nonce).setAAD(associatedData),
      decrypt: (tag) =>
        createDecipheriv(cipher, key, nonce, { authTagLength: AEAD_TAG_BYTES }).setAAD(associatedData).setAuthTag(tag),
    };
  });
}

function chacha(): SymmetricAlgorithm {
  return aead("chacha20poly1305", CHACHA_KEY_BYTES, (key, nonce, associatedData) => {
    checkNonce(nonce, AEAD_NONCE_BYTES);
    return chachaCiphers(key, nonce, associatedData);
  });
}

/** XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): ChaCha20-Poly1305 under a key that the nonce's first 16 bytes derive. */
function xchacha(): SymmetricAlgorithm {
  return aead("chacha20poly1305", CHACHA_KEY_BYTES, (key, nonce, associatedData) => {
    checkNonce(nonce, XCHACHA_NONCE_BYTES);
    const rest = Buffer.concat([Buffer.alloc(4), nonce.subarray(16)]);
    return chachaCiphers(hchacha20(key, nonce.subarray(0, 16)), rest, associatedData);
  });
}

function chachaCiphers(key: Buffer, nonce: Uint8Array, associatedData: Uint8Array): AeadCiphers {
  const name = "chacha20-poly1305";
  const lengths = { authTagLength: AEAD_TAG_BYTES };
  return {
    encrypt: () => createCipheriv(name, key, nonce, lengths).setAAD(associatedData),
    decrypt: (tag) => createDecipheriv(name, key, nonce, lengths).setAAD(associatedData).setAuthTag(tag),
  };
}

interface AeadCiphers {
  encrypt(): ReturnType<typeof createCipheriv> & { getAuthTag(): Buffer };
  decrypt(tag: Uint8Array): ReturnType<typeof createDecipheriv>;
}

function aead(
  library: string,
  keyBytes: number,
  ciphers: (key: Buffer, nonce: Uint8Array, associatedData: Uint8Array) => AeadCiphers,
): SymmetricAlgorithm {
  return {
    async seal(key, plaintext, nonce, associatedData) {
      if (key.length !== keyBytes) throw keyTypeMismatch();
      const cipher = ciphers(key, nonce, associatedData).encrypt();
      return { ciphertext: await transform(cipher, plaintext), tag: cipher.getAuthTag() };
    },
    async open(key, ciphertext, nonce, tag, associatedData) {
      if (key.length !== keyBytes) throw keyTypeMismatch();
      const pair = ciphers(key, nonce, associatedData);
      if (tag.length !== AEAD_TAG_BYTES) throw invalidTag();
      return opening(() => transform(pair.decrypt(tag), ciphertext), `${library}: message authentication failed`);
    },
  };
}

/** AES key wrap (RFC 3394) with its default initial value. */
function keyWrap(cipher: string, keyBytes: number): SymmetricAlgorithm {
  const initialValue = Buffer.alloc(KEY_WRAP_UNIT_BYTES, 0xa6);
  return {
    async seal(key, plaintext) {
      if (key.length !== keyBytes) throw keyTypeMismatch();
      if (plaintext.length % KEY_WRAP_UNIT_BYTES !== 0) throw new CryptoFailure("cek must be in 8-byte blocks");
      if (plaintext.length < 2 * KEY_WRAP_UNIT_BYTES || plaintext.length > WRAPPED_KEY_BYTES_MAX) {
        throw invalidPlaintextLength();
      }
      const wrap = createCipheriv(cipher, key, initialValue);
      return { ciphertext: Buffer.concat([wrap.update(plaintext), wrap.final()]), tag: NO_BYTES };
    },
    async open(key, ciphertext) {
      if (key.length !== keyBytes) throw keyTypeMismatch();
      const { length } = ciphertext;
      if (length % KEY_WRAP_UNIT_BYTES !== 0 || length < 3 * KEY_WRAP_UNIT_BYTES || length > WRAPPED_KEY_BYTES_MAX) {
        throw invalidCiphertextLength();
      }
      const unwrap = createDecipheriv(cipher, key, initialValue);
      return opening(
        async () => Buffer.concat([unwrap.update(ciphertext), unwrap.final()]),
        "integrity check failed - unexpected IV",
      );
    },
  };
}

function checkNonce(nonce: Uint8Array, bytes: number): void {
  if (nonce.length !== bytes) throw invalidNonce();
}

/** OpenSSL says of data that has been changed only that it failed. */
async function opening(open: () => Promise<Buffer>, text: string): Promise<Buffer> {
  try {
    return await open();
  } catch (cause) {
    throw new CryptoFailure(text, { cause: errorMessage(cause) });
  }
}
