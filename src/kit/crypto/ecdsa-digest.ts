import type { KeyObject } from "node:crypto";
import type { ECDSA } from "@noble/curves/abstract/weierstrass.js";
import { p256, p384, p521 } from "@noble/curves/nist.js";
import { keyTypeMismatch } from "./crypto-failure.ts";

/** By the JWK name of the curve. Node's own ECDSA hashes what it signs, so that a digest needs a library. */
const CURVES: ReadonlyMap<string, ECDSA> = new Map([
  ["P-256", p256],
  ["P-384", p384],
  ["P-521", p521],
]);

/** The digest is signed as it is; either of the two signatures of one nonce will do, as in Go. */
const AS_GIVEN = { prehash: false, lowS: false, format: "der" } as const;

/** An ASN.1 signature of a digest (FIPS 186-5). @throws CryptoFailure for a key of another type */
export function signEcdsaDigest(digest: Uint8Array, key: KeyObject): Uint8Array {
  const { curve, jwk } = curveOf(key);
  return curve.sign(Buffer.from(digest), fieldOf(jwk.d), AS_GIVEN);
}

/** Whether an ASN.1 signature is one of the digest; what is no signature is not. @throws CryptoFailure for a key of another type */
export function verifyEcdsaDigest(digest: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  const { curve, jwk } = curveOf(key);
  const point = Buffer.concat([Buffer.of(4), fieldOf(jwk.x), fieldOf(jwk.y)]);
  try {
    return curve.verify(Buffer.from(signature), Buffer.from(digest), point, AS_GIVEN);
  } catch {
    return false;
  }
}

function curveOf(key: KeyObject) {
  if (key.asymmetricKeyType !== "ec") {
    throw keyTypeMismatch();
  }
  const jwk = key.export({ format: "jwk" });
  const curve = CURVES.get(jwk.crv ?? "");
  if (curve === undefined) {
    throw keyTypeMismatch();
  }
  return { curve, jwk };
}

/** Fields of a JWK have the length of the curve's (RFC 7518 section 6.2.1.2). */
function fieldOf(text: string | undefined): Uint8Array {
  return Buffer.from(text ?? "", "base64url");
}
