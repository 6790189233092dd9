import { errorMessage } from "../../kit/error-message.ts";
import type { Clock } from "../../kit/clock.ts";
import { fetchWhole } from "../../net/http/fetch-whole.ts";
import { DOCUMENT_BYTES_MAX, FETCH_TIMEOUT_MS, REDIRECTS_MAX } from "./limits.ts";

/**
 * Where an issuer's keys are, as its OpenID configuration says (OpenID Connect Discovery 1.0).
 * @throws Error in the words of Dapr's middleware
 */
export async function discoverJwksUrl(issuer: string, clock: Clock, signal: AbortSignal): Promise<string> {
  const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  let answer;
  try {
    answer = await fetchWhole(url, {
      method: "GET",
      headers: ["accept", "application/json"],
      bytesMax: DOCUMENT_BYTES_MAX,
      timeoutMs: FETCH_TIMEOUT_MS,
      redirectsMax: REDIRECTS_MAX,
      clock,
      signal,
    });
  } catch (cause) {
    throw new Error(`failed to execute request: ${errorMessage(cause)}`, { cause });
  }
  if (answer.status !== 200) {
    throw new Error(`invalid response status code: ${answer.status}`);
  }
  const { issuer: named, jwks_uri: jwksUrl } = decode(answer.body);
  if (typeof jwksUrl !== "string" || jwksUrl === "") {
    throw new Error("the OpenID Configuration document does not contain a 'jwks_uri'");
  }
  if (named !== issuer) {
    throw new Error(
      `the issuer found in the OpenID Configuration document ('${String(named)}') doesn't match the one provided in the component's metadata ('${issuer}')`,
    );
  }
  return jwksUrl;
}

function decode(body: Uint8Array): { readonly issuer?: unknown; readonly jwks_uri?: unknown } {
  try {
    const value = JSON.parse(Buffer.from(body).toString()) as unknown;
    return typeof value === "object" && value !== null ? value : {};
  } catch (cause) {
    throw new Error(`failed to decode JSON response: ${errorMessage(cause)}`, { cause });
  }
}
