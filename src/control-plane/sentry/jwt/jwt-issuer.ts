import type { KeyObject } from "node:crypto";
import { SignJWT } from "jose";
import type { Clock } from "../../../kit/clock.ts";
import type { Random } from "../../../kit/random.ts";
import { type JwtBundle, keyIdOf } from "./jwt-bundle.ts";

const ID_BYTES = 16;

export interface JwtOptions {
  /** `iss`; undefined for tokens without one. */
  readonly issuer: string | undefined;
  readonly algorithm: string;
  /** `kid`; undefined for the key's thumbprint. */
  readonly keyId: string | undefined;
  readonly ttlMs: number;
  readonly skewMs: number;
}

/** Makes JWT SVIDs: tokens whose subject is a workload's SPIFFE id. */
export interface JwtIssuer {
  readonly algorithm: string;
  readonly keyId: string;
  /** The public keys, JSON. */
  readonly jwksJson: string;
  sign(subject: string, audiences: readonly string[]): Promise<string>;
}

/** @throws Error for an algorithm that does not fit the key */
export async function openJwtIssuer(
  bundle: JwtBundle,
  options: JwtOptions,
  clock: Clock,
  random: Random,
): Promise<JwtIssuer> {
  const { algorithm, issuer, ttlMs, skewMs } = options;
  checkAlgorithm(bundle.key, algorithm);
  const keyId = options.keyId ?? (await keyIdOf(bundle.key));
  return {
    algorithm,
    keyId,
    jwksJson: bundle.jwksJson,
    sign: (subject, audiences) => {
      const now = clock.now();
      const claims = {
        jti: Buffer.from(random.bytes(ID_BYTES)).toString("hex"),
        sub: subject,
        aud: [...audiences],
        iat: seconds(now),
        nbf: seconds(now - skewMs),
        exp: seconds(now + ttlMs),
        // Azure wants it.
        use: "sig",
        ...(issuer === undefined ? {} : { iss: issuer }),
      };
      return new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid: keyId, typ: "JWT" }).sign(bundle.key);
    },
  };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}

const CURVES: ReadonlyMap<string, readonly [name: string, curve: string]> = new Map([
  ["ES256", ["P-256", "prime256v1"]],
  ["ES384", ["P-384", "secp384r1"]],
  ["ES512", ["P-521", "secp521r1"]],
]);

const GO_KEY_TYPES: Readonly<Record<string, string>> = {
  rsa: "*rsa.PrivateKey",
  ec: "*ecdsa.PrivateKey",
  ed25519: "ed25519.PrivateKey",
};

/** @throws Error in Dapr's words */
export function checkAlgorithm(key: KeyObject, algorithm: string): void {
  if (algorithm === "") {
    throw new Error("JWT signing algorithm required");
  }
  const why = mismatch(key, algorithm);
  if (why !== undefined) {
    throw new Error(`JWT signing key is incompatible with algorithm ${algorithm}: ${why}`);
  }
}

function mismatch(key: KeyObject, algorithm: string): string | undefined {
  const type = key.asymmetricKeyType ?? "";
  const got = GO_KEY_TYPES[type] ?? type;
  if (/^[RP]S(?:256|384|512)$/.test(algorithm)) {
    return type === "rsa" ? undefined : `RSA algorithm ${algorithm} requires an RSA key, but got ${got}`;
  }
  if (algorithm === "EdDSA") {
    return type === "ed25519" ? undefined : `EdDSA algorithm requires an Ed25519 key, but got ${got}`;
  }
  const curve = CURVES.get(algorithm);
  if (curve === undefined) {
    return `unsupported signature algorithm: ${algorithm}`;
  }
  if (type !== "ec") {
    return `ECDSA algorithm ${algorithm} requires an ECDSA key, but got ${got}`;
  }
  const [name, openssl] = curve;
  const named = key.asymmetricKeyDetails?.namedCurve ?? "";
  return named === openssl ? undefined : `${algorithm} requires a ${name} curve, got ${named}`;
}
