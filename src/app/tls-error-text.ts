import type { HttpClientError } from "../net/http/errors.ts";

const UNVERIFIED = "tls: failed to verify certificate: x509: ";

/** What a server's certificate can lack, by Node's code, in Go's words. */
const CERTIFICATE_FAULTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "certificate has expired or is not yet valid",
  CERT_NOT_YET_VALID: "certificate has expired or is not yet valid",
  CERT_UNTRUSTED: "certificate signed by unknown authority",
  DEPTH_ZERO_SELF_SIGNED_CERT: "certificate signed by unknown authority",
  SELF_SIGNED_CERT_IN_CHAIN: "certificate signed by unknown authority",
  UNABLE_TO_GET_ISSUER_CERT: "certificate signed by unknown authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "certificate signed by unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "certificate signed by unknown authority",
};

/** Alerts with which a server refuses our certificate, by OpenSSL's code, in Go's words. */
const ALERTS: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: "unknown certificate authority",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "certificate required",
  "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE": "bad certificate",
  "ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED": "expired certificate",
  "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE": "handshake failure",
};

/** A failed TLS handshake as Go tells it, undefined for any other failure. */
export function tlsErrorText(error: HttpClientError): string | undefined {
  const code = error.code ?? "";
  const fault = CERTIFICATE_FAULTS[code];
  if (fault !== undefined) {
    return UNVERIFIED + fault;
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `${UNVERIFIED}${(error.cause as Error | undefined)?.message ?? error.message}`;
  }
  const alert = ALERTS[code];
  return alert === undefined ? undefined : `remote error: tls: ${alert}`;
}
