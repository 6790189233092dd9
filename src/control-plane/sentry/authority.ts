import type { KeyObject } from "node:crypto";
import type { Clock } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import type { CredentialStore } from "./issuer/credential-store.ts";
import { generateIssuer } from "./issuer/generate.ts";
import { certificatePem } from "./issuer/pem.ts";
import { openSigner, validityFor } from "./issuer/signer.ts";
import { generateJwt, type JwtBundle } from "./jwt/jwt-bundle.ts";
import { type JwtIssuer, type JwtOptions, openJwtIssuer } from "./jwt/jwt-issuer.ts";
import { workloadUri } from "./spiffe-names.ts";

/** What certificates say besides their names. */
export interface AuthorityOptions {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly workloadTtlMs: number;
  readonly skewMs: number;
  /** Undefined: no JWTs are made, and no key for them. */
  readonly jwt: JwtOptions | undefined;
  /** Whether credentials that are missing are made and stored, as they are by default. */
  readonly mayGenerate?: boolean | undefined;
}

/** For whom a certificate is made; all of it has been proven by now. */
export interface Identity {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly appId: string;
  readonly dnsNames: readonly string[];
}

/** One set of credentials, open for signing. */
export interface Authority {
  readonly trustAnchorsPem: string;
  /** When the issuer's certificate ends. */
  readonly expiresMs: number;
  /** Credentials were generated and stored on the way. */
  readonly generated: boolean;
  readonly jwt: JwtIssuer | undefined;
  sign(identity: Identity, publicKey: KeyObject): Promise<SignedCertificate>;
}

export interface SignedCertificate {
  /** The certificate and the issuer's chain. */
  readonly chainPem: string;
  readonly notAfterMs: number;
}

export interface AuthorityDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Of the scope `dapr.sentry.ca`. */
  readonly logger: Logger;
}

/** Loads credentials, or makes and stores those that are missing. @throws Error naming the file or secret */
export async function openAuthority(
  store: CredentialStore,
  options: AuthorityOptions,
  deps: AuthorityDeps,
): Promise<Authority> {
  const { clock, random, logger } = deps;
  const { issuer, jwt, generated, algorithm } = await complete(store, options, deps);
  const signer = openSigner(new Uint8Array(issuer.chain[0]?.raw ?? []), issuer.key, random);
  let jwtIssuer: JwtIssuer | undefined;
  if (options.jwt !== undefined && jwt !== undefined) {
    logger.info("JWT issuing enabled");
    jwtIssuer = await openJwtIssuer(jwt, { ...options.jwt, algorithm }, clock, random);
    logger.info(
      options.jwt.keyId === undefined
        ? `Using JWT kid from thumbprint: ${jwtIssuer.keyId}, please ensure this aligns with your JWKS`
        : `Using JWT kid from configuration: ${jwtIssuer.keyId}`,
    );
  }
  return {
    trustAnchorsPem: issuer.trustAnchorsPem,
    expiresMs: issuer.chain[0]?.validToDate.getTime() ?? 0,
    generated,
    jwt: jwtIssuer,
    sign: async ({ trustDomain, namespace, appId, dnsNames }, publicKey) => {
      const validity = validityFor(clock, options.workloadTtlMs, options.skewMs);
      const uri = workloadUri(trustDomain, namespace, appId);
      const leaf = await signer.signWorkload(publicKey, uri, dnsNames, validity);
      return { chainPem: certificatePem(leaf) + issuer.chainPem, notAfterMs: wholeSeconds(validity.notAfterMs) };
    },
  };
}

/** Certificates carry no fractions. */
function wholeSeconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}

async function complete(store: CredentialStore, options: AuthorityOptions, deps: AuthorityDeps) {
  const { clock, random, logger } = deps;
  logger.info(`Using ${store.description} for trust bundle storage`);
  const found = await store.load().catch((cause: unknown) => {
    throw new Error(`failed to get CA bundle: ${errorMessage(cause)}`, { cause });
  });
  let { issuer, jwt } = found;
  const isComplete = issuer !== undefined && (options.jwt === undefined || jwt !== undefined);
  if (!isComplete && options.mayGenerate === false) {
    throw new Error(`credentials are missing in the ${store.description}, and only a start makes them`);
  }
  if (issuer === undefined) {
    logger.info("Root and issuer certs not found: generating self signed CA");
    const { trustDomain, namespace, skewMs } = options;
    issuer = await generateIssuer({ trustDomain, namespace, skewMs, clock, random });
    logger.info("Generating self-signed CA certs and persisting to store");
  }
  let algorithm = options.jwt?.algorithm ?? "";
  if (options.jwt !== undefined && jwt === undefined) {
    jwt = await generateJwt(options.jwt.keyId);
    algorithm = "RS256";
    logger.info("Generating JWT signing key and persisting to store");
  }
  const generated = issuer !== found.issuer || jwt !== found.jwt;
  if (generated) {
    await store.save({ issuer, jwt: keptJwt(options, jwt) }).catch((cause: unknown) => {
      throw new Error(`failed to store CA bundle: ${errorMessage(cause)}`, { cause });
    });
    logger.info("Self-signed certs and JWT root key generated and persisted successfully");
  } else {
    logger.info("Root and issuer certs found: using credentials from store");
  }
  return { issuer, jwt, generated, algorithm };
}

function keptJwt(options: AuthorityOptions, jwt: JwtBundle | undefined): JwtBundle | undefined {
  return options.jwt === undefined ? undefined : jwt;
}
