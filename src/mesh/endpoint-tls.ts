import type { SecureContext } from "node:tls";
import type { HttpEndpoint } from "../inventory/http-endpoint.ts";
import { errorMessage } from "../kit/error-message.ts";
import { crypto, tls } from "../kit/lazy-builtins.ts";

const RENEGOTIATION: ReadonlySet<string> = new Set(["", "Never", "OnceAsClient", "FreelyAsClient"]);

/** What OpenSSL says about a certificate and its key, by code, in Go's words. */
const PAIR_FAULTS: Readonly<Record<string, string>> = {
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: "tls: private key does not match public key",
  ERR_OSSL_X509_KEY_TYPE_MISMATCH: "tls: private key type does not match public key type",
};

/**
 * Looks at an endpoint's certificates, so that a broken one is told at the start and not with the first call.
 * `renegotiation` is only checked: which of its modes applies makes no difference to TLS 1.3, and OpenSSL's own rules hold
 * for 1.2.
 *
 * @throws Error with Dapr's text
 */
export function checkEndpointTls({ name, tls: documents }: HttpEndpoint): void {
  if (documents === undefined) {
    return;
  }
  const { rootCa, certificate, privateKey, renegotiation } = documents;
  if (rootCa !== undefined && !isCertificate(rootCa)) {
    throw new Error(`failed to add root cert to cert pool for http endpoint ${name}`);
  }
  if (privateKey !== undefined) {
    checkPair(name, certificate ?? "", privateKey);
  }
  if (!RENEGOTIATION.has(renegotiation)) {
    throw new Error(`invalid renegotiation value ${renegotiation} for http endpoint ${name}`);
  }
}

/**
 * The TLS context of calls to an endpoint: its own root certificate in place of all others, else those of Node and of the
 * system; a client certificate only together with its key, as in Dapr.
 */
export function endpointSecureContext(documents: HttpEndpoint["tls"]): SecureContext {
  const { rootCa, certificate, privateKey } = documents ?? {};
  const { createSecureContext, getCACertificates } = tls();
  return createSecureContext({
    minVersion: "TLSv1.2",
    ca: rootCa ?? [...getCACertificates("default"), ...getCACertificates("system")],
    ...(privateKey === undefined ? {} : { cert: certificate, key: privateKey }),
  });
}

function isCertificate(pem: string): boolean {
  try {
    const { X509Certificate } = crypto();
    return new X509Certificate(pem) instanceof X509Certificate;
  } catch {
    return false;
  }
}

function checkPair(name: string, cert: string, key: string): void {
  const fault = !cert.includes("-----BEGIN")
    ? "tls: failed to find any PEM data in certificate input"
    : key.includes("-----BEGIN")
      ? pairFault(cert, key)
      : "tls: failed to find any PEM data in key input";
  if (fault !== undefined) {
    throw new Error(`failed to load client certificate for http endpoint ${name}: ${fault}`);
  }
}

function pairFault(cert: string, key: string): string | undefined {
  try {
    tls().createSecureContext({ cert, key });
    return undefined;
  } catch (error) {
    return PAIR_FAULTS[(error as NodeJS.ErrnoException).code ?? ""] ?? errorMessage(error);
  }
}
