import { createCipheriv } from "node:crypto";

export const XCHACHA_NONCE_BYTES = 24;

const BLOCK_BYTES = 64;
/** "expand 32-byte k": the first four words of ChaCha20's state. */
const CONSTANTS = Buffer.from("expand 32-byte k", "latin1");

/**
 * The subkey of XChaCha20 (draft-irtf-cfrg-xchacha-03 section 2.2). ChaCha20's first block is its permuted state plus the
 * state it began with; HChaCha20 is the first and last four words of the permuted state, so what was added is taken away.
 * @param nonce 16 bytes
 */
export function hchacha20(key: Buffer, nonce: Uint8Array): Buffer {
  const block = createCipheriv("chacha20", key, nonce).update(Buffer.alloc(BLOCK_BYTES));
  const subkey = Buffer.alloc(32);
  for (let at = 0; at < 16; at += 4) {
    subkey.writeUInt32LE((block.readUInt32LE(at) - CONSTANTS.readUInt32LE(at)) >>> 0, at);
    subkey.writeUInt32LE((block.readUInt32LE(48 + at) - Buffer.from(nonce).readUInt32LE(at)) >>> 0, 16 + at);
  }
  return subkey;
}
