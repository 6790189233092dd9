import type { JWK } from "jose";
import { JWKS_BYTES_MAX, JWKS_KEYS_MAX } from "../limits.ts";

/**
 * The keys of a JWKS (RFC 7517 section 5), or of a single JWK, which counts as a set of one.
 * @throws Error for what is none, has no keys, or is over a limit
 */
export function parseKeySet(text: string): readonly JWK[] {
  if (Buffer.byteLength(text) > JWKS_BYTES_MAX) {
    throw new Error(`a JWKS has at most ${JWKS_BYTES_MAX} bytes, and this one more`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error("failed to parse JWKS: it is no JSON", { cause });
  }
  if (!isObject(value)) {
    throw new Error("failed to parse JWKS: it is no object");
  }
  const keys = "keys" in value ? value["keys"] : [value];
  if (!Array.isArray(keys) || !keys.every(isKey)) {
    throw new Error("failed to parse JWKS: keys is not a list of objects with a kty");
  }
  if (keys.length === 0) {
    throw new Error("JWKS doesn't contain any keys");
  }
  if (keys.length > JWKS_KEYS_MAX) {
    throw new Error(`a JWKS has at most ${JWKS_KEYS_MAX} keys, and this one has ${keys.length}`);
  }
  return keys;
}

const PRIVATE_MEMBERS: ReadonlySet<string> = new Set(["d", "p", "q", "dp", "dq", "qi", "oth", "k"]);

/** A key without what makes it private or shared: a file that holds such keys must not publish them. */
export function publicPart(jwk: JWK): JWK {
  return Object.fromEntries(Object.entries(jwk).filter(([member]) => !PRIVATE_MEMBERS.has(member))) as JWK;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isKey(value: unknown): value is JWK {
  return isObject(value) && typeof value["kty"] === "string";
}
