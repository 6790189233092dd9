import { isTrustDomain } from "../kit/spiffe-id.ts";

/** Why the control plane's trust domain cannot be used, in Dapr's words where it has some; undefined: it can. */
export function trustDomainFault(trustDomain: string): string | undefined {
  if (trustDomain === "") {
    return "control plane trust domain is required";
  }
  return isTrustDomain(trustDomain)
    ? undefined
    : `invalid control plane trust domain: "${trustDomain}" must be of lower-case letters, digits, dots, dashes and underscores`;
}
