import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { type JWK, SignJWT } from "jose";

/** The sentry that tokens are for, and whom they are about. */
export const SENTRY_URI = "spiffe://test.example/ns/dapr-system/dapr-sentry";
export const WORKLOAD_URI = "spiffe://public/ns/default/myapp";

export interface TokenKey {
  readonly privateKey: KeyObject;
  readonly alg: string;
  /** As it stands in the set. */
  readonly jwk: JWK;
}

export function tokenKey(kid: string, kind: "ed25519" | "p256" | "rsa" = "ed25519"): TokenKey {
  const pairs = {
    ed25519: () => generateKeyPairSync("ed25519"),
    p256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
    rsa: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  };
  const { privateKey, publicKey } = pairs[kind]();
  const alg = { ed25519: "EdDSA", p256: "ES256", rsa: "RS256" }[kind];
  return { privateKey, alg, jwk: { ...(publicKey.export({ format: "jwk" }) as JWK), kid } };
}

/** A token that is all right, but for what is said otherwise. */
export function signToken(
  key: TokenKey,
  nowMs: number,
  claims: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const now = Math.floor(nowMs / 1000);
  return new SignJWT({ aud: [SENTRY_URI], sub: WORKLOAD_URI, iat: now, exp: now + 3_600, ...claims })
    .setProtectedHeader({ alg: key.alg, ...(key.jwk.kid === undefined ? {} : { kid: key.jwk.kid }), ...header })
    .sign(key.privateKey);
}
