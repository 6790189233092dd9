import { compactVerify, decodeProtectedHeader, importJWK, type JWK } from "jose";
import type { CancelSignal } from "../../../kit/cancel-signal.ts";
import type { Clock } from "../../../kit/clock.ts";
import { InvalidDurationError, parseGoDuration } from "../../../kit/duration.ts";
import type { Logger } from "../../../kit/logger.ts";
import { publicPart } from "../jwt/key-set.ts";
import { workloadUri } from "../spiffe-names.ts";
import { checkRequest } from "./common-rules.ts";
import { KeySetCache, type KeySetOptions } from "./key-set-cache.ts";
import { Readiness } from "./readiness.ts";
import type { CertificateRequest, Validator } from "./validator.ts";

/** By how much the clocks of whoever makes tokens may differ, as in Dapr. */
const TOKEN_SKEW_S = 5 * 60;

const REFRESH_MS = 10 * 60 * 1000;
const REQUEST_TIMEOUT_MS = 30 * 1000;

/** Reads a validator's `options`; others are left out, as in Dapr. @throws Error for values that are no durations */
export function jwksOptions(written: ReadonlyMap<string, string>): KeySetOptions {
  // Dapr's decoder takes names in any case.
  const options = new Map([...written].map(([name, value]) => [name.toLowerCase(), value]));
  const refreshMs = duration(options.get("minrefreshinterval"), "minRefreshInterval");
  const requestTimeoutMs = duration(options.get("requesttimeout"), "requestTimeout");
  return {
    source: options.get("source") ?? "",
    caCertificate: options.get("cacertificate") ?? "",
    refreshMs: refreshMs > 1_000 ? refreshMs : REFRESH_MS,
    requestTimeoutMs: requestTimeoutMs > 1 ? requestTimeoutMs : REQUEST_TIMEOUT_MS,
  };
}

/** A Go duration, or whole seconds. */
function duration(text: string | undefined, name: string): number {
  if (text === undefined || text === "") {
    return 0;
  }
  if (/^[+-]?\d+$/.test(text)) {
    return Number(text) * 1000;
  }
  try {
    return parseGoDuration(text);
  } catch (cause) {
    if (cause instanceof InvalidDurationError) {
      throw new Error(`failed to decode validator options: '${name}': ${cause.message}`, { cause });
    }
    throw cause;
  }
}

/**
 * Takes a JWT that is signed with a key of a set, whose audience is this sentry and whose subject is the SPIFFE id that is
 * asked for.
 */
export class JwksValidator implements Validator {
  readonly #cache: KeySetCache;
  readonly #sentryUri: string;
  readonly #clock: Clock;
  readonly #readiness = new Readiness("jwks validator not ready");

  constructor(options: KeySetOptions, sentryUri: string, deps: { readonly clock: Clock; readonly logger: Logger }) {
    this.#cache = new KeySetCache(options, deps.clock, deps.logger);
    this.#sentryUri = sentryUri;
    this.#clock = deps.clock;
  }

  async start(): Promise<void> {
    try {
      await this.#cache.start();
      this.#readiness.reached();
    } catch (error) {
      this.#readiness.failed(error);
      throw error;
    }
  }

  async validate(request: CertificateRequest, signal: CancelSignal): Promise<string> {
    if (request.token === "") {
      throw new Error("the request does not contain a token");
    }
    await this.#readiness.wait(signal);
    const trustDomain = checkRequest(request);
    const subject = workloadUri(trustDomain, request.namespace, request.appId);
    try {
      const claims = await this.#verify(request.token);
      checkClaims(claims, { audience: this.#sentryUri, subject, nowS: this.#clock.now() / 1000 });
    } catch (cause) {
      throw new Error(`token validation failed: ${cause instanceof TokenError ? cause.message : NOT_VERIFIED}`, {
        cause,
      });
    }
    return trustDomain;
  }

  async stop(): Promise<void> {
    this.#readiness.failed(new Error("the validator stops"));
    await this.#cache.stop();
  }

  /** @returns the claims of a token whose signature is one of the set's keys with its key id */
  async #verify(token: string): Promise<Readonly<Record<string, unknown>>> {
    const { alg, kid } = decodeProtectedHeader(token);
    const candidates = this.#cache.keys.filter(
      (key) => key.kid === kid && kid !== undefined && (key.use ?? "sig") === "sig" && allows(key, alg),
    );
    for (const key of candidates) {
      const payload = await verified(token, key, alg as string);
      if (payload !== undefined) {
        return payload;
      }
    }
    throw new TokenError(NOT_VERIFIED);
  }
}

const NOT_VERIFIED = "could not verify message using any of the signatures or keys";

class TokenError extends Error {
  override readonly name = "TokenError";
}

/**
 * Whether a token may name an algorithm with this key: the key's own one, or else those of its kind. A key never works as a
 * shared secret, so nobody can sign with what is published.
 */
function allows(key: JWK, alg: string | undefined): boolean {
  const ofKind = ALGORITHMS.get(
    key.kty === "EC" || key.kty === "OKP" ? `${key.kty}/${key.crv ?? ""}` : (key.kty ?? ""),
  );
  return alg !== undefined && ofKind?.includes(alg) === true && (key.alg === undefined || key.alg === alg);
}

const ALGORITHMS: ReadonlyMap<string, readonly string[]> = new Map([
  ["RSA", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]],
  ["EC/P-256", ["ES256"]],
  ["EC/P-384", ["ES384"]],
  ["EC/P-521", ["ES512"]],
  ["OKP/Ed25519", ["EdDSA", "Ed25519"]],
]);

async function verified(token: string, jwk: JWK, alg: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  let payload: Uint8Array;
  try {
    ({ payload } = await compactVerify(token, await importJWK(publicPart(jwk), alg), { algorithms: [alg] }));
  } catch {
    return undefined;
  }
  const claims: unknown = JSON.parse(Buffer.from(payload).toString("utf8"));
  if (typeof claims !== "object" || claims === null || Array.isArray(claims)) {
    throw new TokenError("failed to parse token: its claims are no object");
  }
  return claims as Readonly<Record<string, unknown>>;
}

interface Expected {
  readonly audience: string;
  readonly subject: string;
  readonly nowS: number;
}

function checkClaims(claims: Readonly<Record<string, unknown>>, { audience, subject, nowS }: Expected): void {
  const { iat, exp, nbf, aud, sub } = claims;
  check("iat", iat === undefined || (isTime(iat) && nowS >= iat - TOKEN_SKEW_S));
  check("exp", exp === undefined || (isTime(exp) && nowS < exp + TOKEN_SKEW_S));
  check("nbf", nbf === undefined || (isTime(nbf) && nowS >= nbf - TOKEN_SKEW_S));
  check("aud", Array.isArray(aud) ? aud.includes(audience) : aud === audience);
  check("sub", sub === subject);
}

function check(claim: string, satisfied: boolean): void {
  if (!satisfied) {
    throw new TokenError(`"${claim}" not satisfied`);
  }
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
