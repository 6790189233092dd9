import type { X509Certificate } from "node:crypto";
import { formatSpiffeId, parseSpiffeId, type SpiffeId } from "../kit/spiffe-id.ts";

/** Whom a connection is for. */
export interface ExpectedPeer {
  /** Undefined: any, for peers whose trust domain the caller cannot know. */
  readonly trustDomain: string | undefined;
  readonly namespace: string;
  readonly appId: string;
}

/** Who a certificate is for, or why it is for nobody. */
export type PeerFinding = { readonly id: SpiffeId } | { readonly fault: string };

const URI = "URI:";

/** Why no authority's certificate is a workload's. */
export const IS_AUTHORITY = "its certificate is that of a certificate authority";

/**
 * The identity in a workload's certificate, whose chain has been verified: exactly one URI, which is a SPIFFE id of Dapr's
 * form, in a certificate that is no authority's (X509-SVID sections 2 and 5.2).
 */
export function identityOf(certificate: Pick<X509Certificate, "ca" | "subjectAltName">): PeerFinding {
  if (certificate.ca) {
    return { fault: IS_AUTHORITY };
  }
  return identityInNames(certificate.subjectAltName);
}

/**
 * The same from the names alone, as Node prints them: `URI:…, DNS:…`. Names with characters that could feign others are
 * quoted there, and have no place in a workload's certificate.
 */
export function identityInNames(names: string | undefined): PeerFinding {
  if (names?.includes('"') === true) {
    return { fault: "its certificate has names with characters that no name needs" };
  }
  const uris = (names ?? "").split(", ").filter((name) => name.startsWith(URI));
  const [first] = uris;
  if (first === undefined) {
    return { fault: "its certificate has no SPIFFE id" };
  }
  if (uris.length > 1) {
    return { fault: "its certificate has more than one URI" };
  }
  const uri = first.slice(URI.length);
  const id = parseSpiffeId(uri);
  return id === undefined ? { fault: `${uri} is not the SPIFFE id of a Dapr workload` } : { id };
}

/** Why the peer is not the expected one; undefined when it is. Ids with segments that we do not know are nobody we expect. */
export function mismatch(names: string | undefined, expected: ExpectedPeer): string | undefined {
  const found = identityInNames(names);
  if ("fault" in found) {
    return found.fault;
  }
  const { namespace, appId } = expected;
  const wanted = formatSpiffeId({ trustDomain: expected.trustDomain ?? found.id.trustDomain, namespace, appId });
  const uri = names?.split(", ").find((name) => name.startsWith(URI));
  return uri === URI + wanted ? undefined : `unexpected SPIFFE ID: "${uri?.slice(URI.length)}", expected "${wanted}"`;
}
