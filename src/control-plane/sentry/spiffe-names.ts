import { formatSpiffeId, isSpiffeSegment, isTrustDomain } from "../../kit/spiffe-id.ts";

/** A trust domain, a namespace or an app id that no SPIFFE id can be made of; the words are go-spiffe's. */
export class SpiffeNameError extends Error {
  override readonly name = "SpiffeNameError";
}

/** The trust domain of workloads that name none. */
export const PUBLIC_TRUST_DOMAIN = "public";

/** A trust domain by its name, or by a SPIFFE id in it, as go-spiffe's `TrustDomainFromString`. @throws SpiffeNameError */
export function trustDomainOf(text: string): string {
  const named = text.includes(":/") ? /^spiffe:\/\/([^/]*)(?:\/.*)?$/.exec(text)?.[1] : text;
  if (named === undefined) {
    throw new SpiffeNameError("scheme is missing or invalid");
  }
  if (named === "") {
    throw new SpiffeNameError("trust domain is missing");
  }
  if (!isTrustDomain(named)) {
    throw new SpiffeNameError(
      "trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores",
    );
  }
  return named;
}

/** The SPIFFE id of a workload, whose parts come from outside. @throws SpiffeNameError */
export function workloadUri(trustDomain: string, namespace: string, appId: string): string {
  if (trustDomain === "" || namespace === "" || appId === "") {
    throw new SpiffeNameError("malformed SPIFFE ID");
  }
  for (const segment of [namespace, appId]) {
    if (segment === "." || segment === "..") {
      throw new SpiffeNameError("path cannot contain dot segments");
    }
    if (!isSpiffeSegment(segment)) {
      throw new SpiffeNameError(
        "path segment characters are limited to letters, numbers, dots, dashes, and underscores",
      );
    }
  }
  return formatSpiffeId({ trustDomain: trustDomainOf(trustDomain), namespace, appId });
}
