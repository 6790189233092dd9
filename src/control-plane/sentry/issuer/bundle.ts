import { createPublicKey, type KeyObject, type X509Certificate } from "node:crypto";
import type { Clock } from "../../../kit/clock.ts";
import { errorMessage } from "../../../kit/error-message.ts";
import { certificatePem, certificatesOf, privateKeyOf, privateKeyPem } from "./pem.ts";

/** With what workloads' certificates are signed, as it is stored (PEM) and as it is used. */
export interface IssuerBundle {
  readonly trustAnchorsPem: string;
  readonly chainPem: string;
  readonly keyPem: string;
  /** The issuer's certificate first; without a root. */
  readonly chain: readonly X509Certificate[];
  readonly key: KeyObject;
}

/** Three texts, and how their places are named in errors. */
export interface StoredIssuer {
  readonly trustAnchors: { readonly text: string; readonly place: string };
  readonly chain: { readonly text: string; readonly place: string };
  readonly key: { readonly text: string; readonly place: string };
}

/**
 * Checks that the anchors are self-signed, that the chain leads to one of them and is valid now, that its first certificate
 * may sign, and that the key is that certificate's. Comments are left out of what workloads are sent, and so is a root at
 * the chain's end.
 * @throws Error naming the place and what is wrong with it
 */
export function verifyIssuer(stored: StoredIssuer, clock: Clock): IssuerBundle {
  const anchors = at(stored.trustAnchors.place, () => readAnchors(stored.trustAnchors.text));
  const chain = at(stored.chain.place, () => readChain(stored.chain.text));
  const key = at(stored.key.place, () => privateKeyOf(stored.key.text));
  const issuer = chain[0] as X509Certificate;
  if (!issuer.publicKey.equals(createPublicKey(key))) {
    throw new Error(`${stored.key.place}: issuer key does not match issuer certificate (${stored.chain.place})`);
  }
  at(stored.chain.place, () => checkTrusted(chain, anchors, clock));
  return {
    trustAnchorsPem: anchors.map(({ raw }) => certificatePem(raw)).join(""),
    chainPem: chain.map(({ raw }) => certificatePem(raw)).join(""),
    keyPem: privateKeyPem(key),
    chain,
    key,
  };
}

function at<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new Error(`${place}: ${errorMessage(cause)}`, { cause });
  }
}

function readAnchors(text: string): readonly X509Certificate[] {
  const anchors = certificatesOf(text);
  if (!anchors.every(isSelfSigned)) {
    throw new Error("certificate in trust anchor is not self-signed");
  }
  return anchors;
}

function readChain(text: string): readonly X509Certificate[] {
  const chain = certificatesOf(text);
  for (const [at_, certificate] of chain.entries()) {
    const next = chain[at_ + 1];
    if (next !== undefined && !isIssuedBy(certificate, next)) {
      throw new Error("certificate chain is not valid");
    }
  }
  const kept = chain.length > 1 && isSelfSigned(chain.at(-1) as X509Certificate) ? chain.slice(0, -1) : chain;
  if (isSelfSigned(kept[0] as X509Certificate)) {
    throw new Error("issuer chain is empty after re-encoding: the issuer is a root, which must sign an intermediate");
  }
  if (kept[0]?.ca !== true) {
    throw new Error("intermediate certificate is not valid for signing");
  }
  return kept;
}

function checkTrusted(chain: readonly X509Certificate[], anchors: readonly X509Certificate[], clock: Clock): void {
  const now = clock.now();
  for (const certificate of chain) {
    if (!isValidAt(certificate, now)) {
      throw new Error(
        `issuer chain does not belong to trust anchors: certificate has expired or is not yet valid: it is from ${certificate.validFrom} to ${certificate.validTo}`,
      );
    }
  }
  const last = chain.at(-1) as X509Certificate;
  if (!anchors.some((anchor) => isIssuedBy(last, anchor) && isValidAt(anchor, now))) {
    throw new Error(
      "issuer chain does not belong to trust anchors: certificate signed by unknown authority, or by one that is not valid now",
    );
  }
}

function isValidAt(certificate: X509Certificate, now: number): boolean {
  return certificate.validFromDate.getTime() <= now && now < certificate.validToDate.getTime();
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return isIssuedBy(certificate, certificate);
}
