import {
  constants,
  createHash,
  type KeyObject,
  privateEncrypt,
  publicDecrypt,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { CryptoFailure } from "./crypto-failure.ts";

/** A hash as RSA signatures know it. */
export interface SignatureHash {
  readonly name: string;
  readonly bytes: number;
  /** What stands before the digest in a PKCS #1 v1.5 signature: DigestInfo without it (RFC 8017 section 9.2, note 1). */
  readonly digestInfo: Buffer;
}

export const SIGNATURE_HASHES: ReadonlyMap<string, SignatureHash> = new Map([
  ["256", { name: "sha256", bytes: 32, digestInfo: Buffer.from("3031300d060960864801650304020105000420", "hex") }],
  ["384", { name: "sha384", bytes: 48, digestInfo: Buffer.from("3041300d060960864801650304020205000430", "hex") }],
  ["512", { name: "sha512", bytes: 64, digestInfo: Buffer.from("3051300d060960864801650304020305000440", "hex") }],
]);

/** PKCS #1 v1.5 over a digest. @throws CryptoFailure for a digest of another length */
export function signPkcs1(digest: Uint8Array, hash: SignatureHash, key: KeyObject): Uint8Array {
  checkDigest(digest, hash);
  return privateEncrypt(
    { key, padding: constants.RSA_PKCS1_PADDING },
    fitting(key, Buffer.concat([hash.digestInfo, digest]), 11),
  );
}

/** @throws CryptoFailure for a digest of another length */
export function verifyPkcs1(digest: Uint8Array, signature: Uint8Array, hash: SignatureHash, key: KeyObject): boolean {
  checkDigest(digest, hash);
  const expected = Buffer.concat([hash.digestInfo, digest]);
  const signed = recover(signature, key, constants.RSA_PKCS1_PADDING);
  return signed !== undefined && signed.length === expected.length && timingSafeEqual(signed, expected);
}

/** PSS over a digest with the longest salt that fits, as Go does it (RFC 8017 section 9.1.1). @throws CryptoFailure */
export function signPss(digest: Uint8Array, hash: SignatureHash, key: KeyObject): Uint8Array {
  checkDigest(digest, hash);
  const { bits, bytes, keyBytes } = encodedSize(key);
  const saltBytes = bytes - hash.bytes - 2;
  if (saltBytes < 0) {
    throw tooLong();
  }
  const salt = randomBytes(saltBytes);
  const seal = sealOf(digest, salt, hash);
  const block = Buffer.concat([Buffer.alloc(bytes - hash.bytes - 2 - saltBytes), Buffer.of(1), salt]);
  mask(block, seal, hash);
  block[0] = (block[0] ?? 0) & (0xff >> (8 * bytes - bits));
  const encoded = Buffer.concat([Buffer.alloc(keyBytes - bytes), block, seal, Buffer.of(0xbc)]);
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded);
}

/** Takes a salt of any length (RFC 8017 section 9.1.2). A digest of another length is never signed. */
export function verifyPss(digest: Uint8Array, signature: Uint8Array, hash: SignatureHash, key: KeyObject): boolean {
  const { bits, bytes, keyBytes } = encodedSize(key);
  const whole = recover(signature, key, constants.RSA_NO_PADDING);
  if (whole === undefined || digest.length !== hash.bytes || bytes < hash.bytes + 2) {
    return false;
  }
  const encoded = whole.subarray(keyBytes - bytes);
  const block = Buffer.from(encoded.subarray(0, bytes - hash.bytes - 1));
  const seal = encoded.subarray(block.length, bytes - 1);
  const unusedBits = 8 * bytes - bits;
  const isFramed = encoded[bytes - 1] === 0xbc && (encoded[0] ?? 0) >> (8 - unusedBits) === 0;
  if (!isFramed || (keyBytes > bytes && whole[0] !== 0)) {
    return false;
  }
  mask(block, seal, hash);
  block[0] = (block[0] ?? 0) & (0xff >> unusedBits);
  const one = block.findIndex((byte) => byte !== 0);
  return one !== -1 && block[one] === 1 && timingSafeEqual(sealOf(digest, block.subarray(one + 1), hash), seal);
}

function checkDigest(digest: Uint8Array, hash: SignatureHash): void {
  if (digest.length !== hash.bytes) {
    throw new CryptoFailure("crypto/rsa: input must be hashed message");
  }
}

function tooLong(): CryptoFailure {
  return new CryptoFailure("crypto/rsa: message too long for RSA key size");
}

function fitting(key: KeyObject, message: Buffer, overhead: number): Buffer {
  if (message.length + overhead > encodedSize(key).keyBytes) {
    throw tooLong();
  }
  return message;
}

/** Of PSS: the encoded message is one bit shorter than the modulus. */
function encodedSize(key: KeyObject): { readonly bits: number; readonly bytes: number; readonly keyBytes: number } {
  const modulusBits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  const bits = modulusBits - 1;
  return { bits, bytes: Math.ceil(bits / 8), keyBytes: Math.ceil(modulusBits / 8) };
}

/** What was signed; undefined when the signature is no number of this key, or not padded as asked. */
function recover(signature: Uint8Array, key: KeyObject, padding: number): Buffer | undefined {
  if (signature.length !== encodedSize(key).keyBytes) {
    return undefined;
  }
  try {
    return publicDecrypt({ key, padding }, signature);
  } catch {
    return undefined;
  }
}

function sealOf(digest: Uint8Array, salt: Uint8Array, hash: SignatureHash): Buffer {
  return createHash(hash.name).update(Buffer.alloc(8)).update(digest).update(salt).digest();
}

/** XORs MGF1 of the seed over a block (RFC 8017 section B.2.1). */
function mask(block: Buffer, seed: Uint8Array, hash: SignatureHash): void {
  const counter = Buffer.alloc(4);
  for (let at = 0, round = 0; at < block.length; at += hash.bytes, round += 1) {
    counter.writeUInt32BE(round);
    const bytes = createHash(hash.name).update(seed).update(counter).digest();
    for (let index = 0; index < bytes.length && at + index < block.length; index += 1) {
      block[at + index] = (block[at + index] ?? 0) ^ (bytes[index] ?? 0);
    }
  }
}
