import { type KeyObject, sign, verify } from "node:crypto";
import { keyTypeMismatch, unsupportedAlgorithm } from "./crypto-failure.ts";
import { signEcdsaDigest, verifyEcdsaDigest } from "./ecdsa-digest.ts";
import { type Key, publicHalf } from "./key.ts";
import { SIGNATURE_HASHES, signPkcs1, signPss, verifyPkcs1, verifyPss } from "./rsa-signatures.ts";

/** One algorithm over digests. All methods throw CryptoFailure. */
interface SignatureAlgorithm {
  sign(digest: Uint8Array, key: KeyObject): Promise<Uint8Array> | Uint8Array;
  verify(digest: Uint8Array, signature: Uint8Array, key: KeyObject): Promise<boolean> | boolean;
}

/** ES256, ES384 and ES512 take a key of any of the three curves, as Dapr does. */
const ECDSA: SignatureAlgorithm = { sign: signEcdsaDigest, verify: verifyEcdsaDigest };

/** Ed25519 hashes what it is given, so that callers pass the whole message. */
const EDDSA: SignatureAlgorithm = {
  sign: (message, key) =>
    new Promise((resolve, reject) => {
      checkType(key, "ed25519");
      sign(null, message, key, (error, signature) => (error === null ? resolve(signature) : reject(error)));
    }),
  verify: (message, signature, key) =>
    new Promise((resolve, reject) => {
      checkType(key, "ed25519");
      verify(null, message, key, signature, (error, valid) => (error === null ? resolve(valid) : reject(error)));
    }),
};

/** The signature algorithms of Dapr's `crypto` components by their names in RFC 7518 and RFC 8037. */
const ALGORITHMS: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  ...[...SIGNATURE_HASHES].flatMap(([bits, hash]): readonly (readonly [string, SignatureAlgorithm])[] => [
    [
      `RS${bits}`,
      rsa({
        sign: (digest, key) => signPkcs1(digest, hash, key),
        verify: (digest, signature, key) => verifyPkcs1(digest, signature, hash, key),
      }),
    ],
    [
      `PS${bits}`,
      rsa({
        sign: (digest, key) => signPss(digest, hash, key),
        verify: (digest, signature, key) => verifyPss(digest, signature, hash, key),
      }),
    ],
    [`ES${bits}`, ECDSA],
  ]),
  ["EdDSA", EDDSA],
]);

/** Signs a digest. @throws CryptoFailure */
export async function signWithKey(key: Key, algorithm: string, digest: Uint8Array): Promise<Uint8Array> {
  const found = ALGORITHMS.get(algorithm);
  if (found === undefined) {
    throw unsupportedAlgorithm();
  }
  if (key.object.type !== "private") {
    throw keyTypeMismatch();
  }
  return found.sign(digest, key.object);
}

/** Whether a signature of a digest is good. @throws CryptoFailure */
export async function verifyWithKey(
  key: Key,
  algorithm: string,
  digest: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const found = ALGORITHMS.get(algorithm);
  const object = publicHalf(key)?.object;
  if (found === undefined) {
    throw unsupportedAlgorithm();
  }
  if (object === undefined) {
    throw keyTypeMismatch();
  }
  return found.verify(digest, signature, object);
}

function rsa({ sign: signDigest, verify: verifyDigest }: SignatureAlgorithm): SignatureAlgorithm {
  return {
    sign(digest, key) {
      checkType(key, "rsa");
      return signDigest(digest, key);
    },
    verify(digest, signature, key) {
      checkType(key, "rsa");
      return verifyDigest(digest, signature, key);
    },
  };
}

function checkType(key: KeyObject, type: string): void {
  if (key.asymmetricKeyType !== type) {
    throw keyTypeMismatch();
  }
}
