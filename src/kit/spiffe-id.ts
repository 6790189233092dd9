/** Who a workload is: `spiffe://<trust domain>/ns/<namespace>/<app id>`, as Dapr's certificate authority writes it. */
export interface SpiffeId {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly appId: string;
}

/** Bytes of an id, and of its trust domain (SPIFFE-ID section 2.3). */
const ID_BYTES_MAX = 2048;
const TRUST_DOMAIN_BYTES_MAX = 255;

const ID = /^spiffe:\/\/([a-z0-9._-]+)\/ns\/([a-zA-Z0-9._-]+)\/([a-zA-Z0-9._-]+)((?:\/[a-zA-Z0-9._-]+)*)$/;
const TRUST_DOMAIN = /^[a-z0-9._-]+$/;
const SEGMENT = /^[a-zA-Z0-9._-]+$/;

/**
 * Reads a SPIFFE id by the rules of its standard and Dapr's path. Segments behind the app id are allowed and left out:
 * Dapr keeps them for what it may add.
 *
 * @returns undefined for anything else, ids with another scheme, upper-case trust domains, dot segments, escapes, ports,
 *   queries and empty segments among them
 */
export function parseSpiffeId(uri: string): SpiffeId | undefined {
  if (uri.length > ID_BYTES_MAX) return undefined;
  const match = ID.exec(uri);
  if (match === null) return undefined;
  const [, trustDomain = "", namespace = "", appId = "", rest = ""] = match;
  if (trustDomain.length > TRUST_DOMAIN_BYTES_MAX) return undefined;
  const isDots = [namespace, appId, ...rest.split("/")].some((segment) => segment === "." || segment === "..");
  return isDots ? undefined : { trustDomain, namespace, appId };
}

export function formatSpiffeId({ trustDomain, namespace, appId }: SpiffeId): string {
  return `spiffe://${trustDomain}/ns/${namespace}/${appId}`;
}

/** Whether a text can be a trust domain: lower-case letters, digits, dots, dashes and underscores. */
export function isTrustDomain(text: string): boolean {
  return text.length <= TRUST_DOMAIN_BYTES_MAX && TRUST_DOMAIN.test(text);
}

/** Whether a text can stand in an id as a namespace or an app id. */
export function isSpiffeSegment(text: string): boolean {
  return SEGMENT.test(text) && text !== "." && text !== "..";
}
