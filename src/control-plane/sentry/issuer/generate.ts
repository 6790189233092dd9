import { createPublicKey, generateKeyPair, type KeyObject, X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import type { Clock } from "../../../kit/clock.ts";
import type { Random } from "../../../kit/random.ts";
import { workloadUri } from "../spiffe-names.ts";
import type { IssuerBundle } from "./bundle.ts";
import { certificatePem, privateKeyPem } from "./pem.ts";
import { openSigner, signRoot, validityFor } from "./signer.ts";

const generate = promisify(generateKeyPair);

/** Lifetime of a generated root and its issuer: a year. */
export const AUTHORITY_TTL_MS = 365 * 24 * 60 * 60 * 1000;

/** Of the sentry itself in SPIFFE ids. */
export const SENTRY_APP_ID = "dapr-sentry";

export interface GenerateOptions {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly skewMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** A fresh root and an issuer under it, Ed25519, with Dapr's names. The root's key is not kept: only its issuer signs. */
export async function generateIssuer(options: GenerateOptions): Promise<IssuerBundle> {
  const { trustDomain, namespace, skewMs, clock, random } = options;
  const validity = validityFor(clock, AUTHORITY_TTL_MS, skewMs);
  const rootKey = await ed25519Key();
  const root = await signRoot(rootKey, trustDomain, validity, random);
  const key = await ed25519Key();
  const issuer = await openSigner(root, rootKey, random).signIssuer(
    createPublicKey(key),
    workloadUri(trustDomain, namespace, SENTRY_APP_ID),
    validity,
  );
  return {
    trustAnchorsPem: certificatePem(root),
    chainPem: certificatePem(issuer),
    keyPem: privateKeyPem(key),
    chain: [new X509Certificate(issuer)],
    key,
  };
}

/** A private key of the kind that Dapr's workloads and authorities have. */
export async function ed25519Key(): Promise<KeyObject> {
  return (await generate("ed25519")).privateKey;
}
