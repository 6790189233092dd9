import { errorMessage } from "../kit/error-message.ts";
import type { SpiffeId } from "../kit/spiffe-id.ts";
import type { SignCertificateResponse } from "../wire/gen/dapr/proto/sentry/v1/sentry_pb.js";
import { CHAIN_MAX } from "./limits.ts";
import { identityOf } from "./peer-certificate.ts";
import { certificatesOf } from "./trust-anchors.ts";

/** A token in which the certificate authority confirms who the workload is, for parties without mutual TLS. */
export interface WorkloadToken {
  readonly token: string;
  readonly audiences: readonly string[];
  readonly expiresMs: number;
}

/** A certificate of this workload with its key, and its tokens where the authority gives some. */
export interface WorkloadCertificate {
  readonly id: SpiffeId;
  /** PEM, its own certificate first. */
  readonly chain: string;
  /** PKCS#8, PEM. */
  readonly privateKey: string;
  readonly notBeforeMs: number;
  /** When the first of the chain ends: nobody takes it then, whatever its own certificate says. */
  readonly notAfterMs: number;
  /** For the trust domain and every audience that was asked for. */
  readonly token: WorkloadToken | undefined;
  readonly tokensByAudience: ReadonlyMap<string, WorkloadToken>;
}

/** An answer that cannot be used; `reason` is Dapr's word in `runtime_mtls_workload_cert_rotated_fail_total`. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
  readonly reason: string;

  constructor(reason: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.reason = reason;
  }
}

/** Seconds since the epoch that a Date can show. */
const TIME_S_MAX = 8.64e12;

/** Reads the answer of `SignCertificate`. @throws CertificateError */
export function readCertificate(response: SignCertificateResponse, privateKey: string): WorkloadCertificate {
  if (response.validUntil === undefined) {
    throw new CertificateError("invalid_ts", "error parsing ValidUntil: invalid nil Timestamp");
  }
  const chain = Buffer.from(response.workloadCertificate).toString("latin1");
  const [own, ...issuers] = certificatesIn(chain);
  const found = identityOf(own);
  if ("fault" in found) {
    throw new CertificateError("sign", `error parsing spiffe id from newly signed certificate: ${found.fault}`);
  }
  const token = response.jwt === undefined || response.jwt === "" ? undefined : readToken(response.jwt);
  if (token !== undefined && !token.audiences.includes(found.id.trustDomain)) {
    throw new CertificateError("jwt_aud", `failed to parse JWT SVID: it is not for ${found.id.trustDomain}`);
  }
  return {
    id: found.id,
    chain,
    privateKey,
    notBeforeMs: own.validFromDate.getTime(),
    notAfterMs: Math.min(...[own, ...issuers].map(({ validToDate }) => validToDate.getTime())),
    token,
    tokensByAudience: readTokens(response),
  };
}

type Certificates = ReturnType<typeof certificatesOf>;

function certificatesIn(chain: string): readonly [own: Certificates[number], ...issuers: Certificates] {
  let certificates: Certificates;
  try {
    certificates = certificatesOf(chain);
  } catch (cause) {
    throw new CertificateError("sign", `error parsing newly signed certificate: ${errorMessage(cause)}`, { cause });
  }
  if (certificates.length > CHAIN_MAX) {
    throw new CertificateError(
      "sign",
      `the chain has ${certificates.length} certificates, and ${CHAIN_MAX} is the most`,
    );
  }
  const [own, ...issuers] = certificates;
  if (own === undefined) {
    throw new CertificateError("sign", "no certificates received from sentry");
  }
  return [own, ...issuers];
}

function readTokens(response: SignCertificateResponse): ReadonlyMap<string, WorkloadToken> {
  const tokens = new Map<string, WorkloadToken>();
  for (const [audience, { value }] of Object.entries(response.perAudienceJwts)) {
    const token = readToken(value);
    if (token.audiences.length !== 1 || token.audiences[0] !== audience) {
      throw new CertificateError("jwt_aud", "JWT audience mismatch");
    }
    tokens.set(audience, token);
  }
  return tokens;
}

/** The signature is not looked at: the token came from the authority itself, whose signing key we may not know yet. */
function readToken(token: string): WorkloadToken {
  let claims: { readonly aud?: unknown; readonly exp?: unknown };
  try {
    claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8")) as typeof claims;
  } catch (cause) {
    throw new CertificateError("jwt_parse", `error parsing JWT: ${errorMessage(cause)}`, { cause });
  }
  const { aud, exp } = claims;
  const audiences = (Array.isArray(aud) ? aud : [aud]).filter((one) => typeof one === "string");
  if (typeof exp !== "number" || !(Math.abs(exp) <= TIME_S_MAX)) {
    throw new CertificateError("jwt_parse", "error parsing JWT: it has no time of expiry");
  }
  if (audiences.length === 0) {
    throw new CertificateError("jwt_aud", "JWT audience is empty");
  }
  return { token, audiences, expiresMs: exp * 1000 };
}
