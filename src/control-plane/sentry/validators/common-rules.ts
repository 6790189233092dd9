import { errorMessage } from "../../../kit/error-message.ts";
import { APP_ID_LENGTH_MAX, NAMESPACE_LENGTH_MAX, TOKEN_BYTES_MAX } from "../limits.ts";
import { PUBLIC_TRUST_DOMAIN, trustDomainOf, workloadUri } from "../spiffe-names.ts";
import type { CertificateRequest } from "./validator.ts";

/**
 * The rules that requests keep to whatever proves them; all that are broken are named.
 * @returns the trust domain asked for, or the public one
 * @throws Error in Dapr's words
 */
export function checkRequest(request: CertificateRequest): string {
  const { appId, namespace, token, csr } = request;
  const problems = [
    appId === "" ? "parameter app-id cannot be empty" : undefined,
    appId.includes(".") ? "parameter app-id cannot contain dots" : undefined,
    Buffer.byteLength(appId) > APP_ID_LENGTH_MAX ? `app ID must be ${APP_ID_LENGTH_MAX} characters or less` : undefined,
    csr.length === 0 ? "CSR is required" : undefined,
    namespace === "" ? "namespace is required" : undefined,
    namespace.length > NAMESPACE_LENGTH_MAX
      ? `namespace must be ${NAMESPACE_LENGTH_MAX} characters or less`
      : undefined,
    token.length > TOKEN_BYTES_MAX ? `the token is larger than the limit of ${TOKEN_BYTES_MAX} bytes` : undefined,
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) {
    throw new Error(`invalid request: ${problems.join("\n")}`);
  }
  const trustDomain = request.trustDomain === "" ? PUBLIC_TRUST_DOMAIN : trustDomainOf(request.trustDomain);
  try {
    workloadUri(trustDomain, namespace, appId);
  } catch (cause) {
    throw new Error(`invalid request: ${errorMessage(cause)}`, { cause });
  }
  return trustDomain;
}
