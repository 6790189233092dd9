import type { X509Certificate } from "node:crypto";
import type { Severity } from "../finding.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

/** All certificates of a text. */
export const PEM_CERTIFICATES = /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g;

export interface ValidityFault {
  readonly kind: "expired" | "not yet" | "soon";
  readonly severity: Severity;
  /** What is wrong with it, as the rest of a sentence. */
  readonly said: string;
}

/** @param warningDays what a certificate must be valid for from now on */
export function validityFault(
  certificate: X509Certificate,
  nowMs: number,
  warningDays: number,
): ValidityFault | undefined {
  const leftMs = certificate.validToDate.getTime() - nowMs;
  if (leftMs <= 0) {
    return { kind: "expired", severity: "error", said: `has expired (${certificate.validTo})` };
  }
  if (certificate.validFromDate.getTime() > nowMs) {
    return { kind: "not yet", severity: "error", said: `is not valid before ${certificate.validFrom}` };
  }
  return leftMs > warningDays * DAY_MS
    ? undefined
    : {
        kind: "soon",
        severity: "warning",
        said: `expires in ${Math.floor(leftMs / DAY_MS)} days (${certificate.validTo})`,
      };
}
