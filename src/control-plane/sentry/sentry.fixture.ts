import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from "@peculiar/x509";
import type { Clock } from "../../kit/clock.ts";
import { systemRandom } from "../../kit/random.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { systemClock } from "../../kit/system-clock.ts";
import { MetricRegistry } from "../../telemetry/metrics/registry.ts";
import type { JwtOptions } from "./jwt/jwt-issuer.ts";
import { type InProcessSentry, openInProcessSentry } from "./in-process-sentry.ts";
import type { SignRequest } from "./sentry-service.ts";

/** How the key of a certificate request is made. */
export type KeyKind = "ed25519" | "p256" | "p384" | "p521" | "rsa2048";

const KINDS: Readonly<Record<KeyKind, { readonly make: object; readonly sign: object }>> = {
  ed25519: { make: { name: "Ed25519" }, sign: { name: "Ed25519" } },
  p256: { make: { name: "ECDSA", namedCurve: "P-256" }, sign: { name: "ECDSA", hash: "SHA-256" } },
  p384: { make: { name: "ECDSA", namedCurve: "P-384" }, sign: { name: "ECDSA", hash: "SHA-384" } },
  p521: { make: { name: "ECDSA", namedCurve: "P-521" }, sign: { name: "ECDSA", hash: "SHA-512" } },
  rsa2048: {
    make: {
      name: "RSASSA-PKCS1-v1_5",
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: "SHA-256",
    },
    sign: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  },
};

/** A PKCS#10 request, DER, that says whatever it likes about who sends it. */
export async function requestDer(kind: KeyKind = "ed25519", name = "CN=anybody"): Promise<Uint8Array> {
  const { make, sign } = KINDS[kind];
  const keys = (await webcrypto.subtle.generateKey(make as webcrypto.Algorithm, true, [
    "sign",
    "verify",
  ])) as webcrypto.CryptoKeyPair;
  const request = await Pkcs10CertificateRequestGenerator.create(
    {
      name,
      keys,
      signingAlgorithm: sign as webcrypto.Algorithm,
      extensions: [
        new SubjectAlternativeNameExtension([
          { type: "url", value: "spiffe://public/ns/default/admin" },
          { type: "dns", value: "admin.example" },
        ]),
      ],
    },
    webcrypto,
  );
  return new Uint8Array(request.rawData);
}

export function toPem(der: Uint8Array, label = "CERTIFICATE REQUEST"): Uint8Array {
  const base64 = Buffer.from(der).toString("base64");
  return Buffer.from(`-----BEGIN ${label}-----\n${base64.replaceAll(/(.{64})/g, "$1\n")}\n-----END ${label}-----\n`);
}

export async function signRequest(facts: Partial<SignRequest> = {}): Promise<SignRequest> {
  return {
    appId: "myapp",
    namespace: "default",
    trustDomain: "",
    token: "",
    csr: toPem(await requestDer()),
    validator: undefined,
    jwtAudiences: [],
    ...facts,
  };
}

/** A sentry without a port, for the trust domain `test.example`. */
export function testSentry(
  facts: { readonly ttlMs?: number; readonly jwt?: Partial<JwtOptions>; readonly clock?: Clock } = {},
): Promise<InProcessSentry> {
  const { ttlMs = 60_000, jwt, clock = systemClock } = facts;
  return openInProcessSentry({
    trustDomain: "test.example",
    namespace: "dapr-system",
    workloadTtlMs: ttlMs,
    skewMs: 5_000,
    jwt:
      jwt === undefined
        ? undefined
        : { issuer: undefined, algorithm: "RS256", keyId: undefined, ttlMs: 60_000, skewMs: 5_000, ...jwt },
    clock,
    random: systemRandom,
    logger: silentLogger,
    metrics: new MetricRegistry({ prefix: "dapr_", logger: silentLogger }),
  });
}
