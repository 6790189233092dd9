import { createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { calculateJwkThumbprint, type JWK } from "jose";
import { errorMessage } from "../../../kit/error-message.ts";
import { privateKeyOf, privateKeyPem } from "../issuer/pem.ts";
import { parseKeySet, publicPart } from "./key-set.ts";

const generate = promisify(generateKeyPair);

/** Bits of a generated key: RSA, which every resource provider understands. */
const RSA_BITS = 2_048;

/** With what JWTs are signed: the key, and the set of public keys by which others check them. */
export interface JwtBundle {
  readonly key: KeyObject;
  readonly keyPem: string;
  /** As it is stored and published. */
  readonly jwksJson: string;
}

/** Two texts, and how their places are named in errors. */
export interface StoredJwt {
  readonly key: { readonly text: string; readonly place: string };
  readonly jwks: { readonly text: string; readonly place: string };
}

/**
 * Checks that the set has the signing key's public half, under `keyId` where one is configured.
 * @throws Error naming the place and what is wrong with it
 */
export function verifyJwt(stored: StoredJwt, keyId: string | undefined): JwtBundle {
  let key: KeyObject;
  try {
    key = privateKeyOf(stored.key.text);
  } catch (cause) {
    throw new Error(`${stored.key.place}: failed to decode JWT signing key: ${errorMessage(cause)}`, { cause });
  }
  let keys: readonly JWK[];
  try {
    keys = parseKeySet(stored.jwks.text);
    checkMember(keys, key, keyId);
  } catch (cause) {
    throw new Error(`${stored.jwks.place}: failed to verify JWKS: ${errorMessage(cause)}`, { cause });
  }
  return { key, keyPem: privateKeyPem(key), jwksJson: JSON.stringify({ keys: keys.map(publicPart) }) };
}

function checkMember(keys: readonly JWK[], key: KeyObject, keyId: string | undefined): void {
  const own = createPublicKey(key);
  const named = keyId === undefined ? keys : keys.filter(({ kid }) => kid === keyId);
  if (keyId !== undefined && named.length === 0) {
    throw new Error(`JWKS doesn't contain a key with user-provided key ID ${JSON.stringify(keyId)}`);
  }
  if (named.some((one) => isSame(one, own))) {
    return;
  }
  throw new Error(
    keyId === undefined
      ? "JWKS doesn't contain a matching public key for the JWT signing key"
      : `JWKS contains a key with user-provided key ID ${JSON.stringify(keyId)} but the key content doesn't match the signing key`,
  );
}

function isSame(jwk: JWK, own: KeyObject): boolean {
  if (jwk.use !== undefined && jwk.use !== "sig") {
    return false;
  }
  try {
    return createPublicKey({ key: publicPart(jwk), format: "jwk" }).equals(own);
  } catch {
    return false;
  }
}

/** A fresh RSA key and the set that has it, under the key id that is configured or the key's own. */
export async function generateJwt(keyId?: string): Promise<JwtBundle> {
  const { privateKey: key } = await generate("rsa", { modulusLength: RSA_BITS });
  const jwk = createPublicKey(key).export({ format: "jwk" }) as JWK;
  const jwks = { keys: [{ alg: "RS256", ...jwk, kid: keyId ?? (await keyIdOf(key)), use: "sig" }] };
  return { key, keyPem: privateKeyPem(key), jwksJson: JSON.stringify(jwks) };
}

/** A key's id where none is configured: its SHA-256 thumbprint (RFC 7638) in padded base64. */
export async function keyIdOf(key: KeyObject): Promise<string> {
  const thumbprint = await calculateJwkThumbprint(createPublicKey(key).export({ format: "jwk" }) as JWK, "sha256");
  return Buffer.from(thumbprint, "base64url").toString("base64");
}
