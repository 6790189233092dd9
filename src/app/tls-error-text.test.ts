import { expect, test } from "vitest";
import { HttpClientError } from "../net/http/errors.ts";
import { tlsErrorText } from "./tls-error-text.ts";

function textOf(code: string, message = "what OpenSSL says"): string | undefined {
  return tlsErrorText(new HttpClientError("connect", "no connection", Object.assign(new Error(message), { code })));
}

test.each([
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls: failed to verify certificate: x509: certificate signed by unknown authority"],
  ["CERT_HAS_EXPIRED", "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "tls: failed to verify certificate: x509: what OpenSSL says"],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "remote error: tls: unknown certificate authority"],
  ["ECONNRESET", undefined],
])("%s is %s", (code, text) => {
  expect(textOf(code)).toBe(text);
});
