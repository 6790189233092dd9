import { X509Certificate } from "node:crypto";
import { errorMessage } from "../../kit/error-message.ts";
import { hostPort } from "../back-ends.ts";
import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";
import type { TlsView } from "../world.ts";
import { checkEndpointCertificates } from "./endpoint-certificates.ts";
import { PEM_CERTIFICATES, validityFault } from "./validity.ts";

/** A root that ends within that time has to be replaced now: all peers must know the next one before. */
const ANCHOR_WARNING_DAYS = 30;

/** What to do about a trust anchor's dates. */
const DATES = {
  expired: {
    why: "no peer can be trusted",
    fix: "make a new root, and give it to all before the old one is taken away",
  },
  "not yet": { why: "no peer can be trusted", fix: "check the clock of this machine" },
  soon: {
    why: "after that no sidecar can reach another one",
    fix: "make a new root now, and give it to all beside the old one",
  },
} as const;

/** Trust anchors, whether the certificate authority has a certificate of one of them, and certificates for HTTPEndpoints. */
export async function checkCertificates(examination: Examination): Promise<readonly Finding[]> {
  return [...(await checkAnchors(examination)), ...(await checkEndpointCertificates(examination))];
}

async function checkAnchors({ apps, world }: Examination): Promise<readonly Finding[]> {
  const byAnchors = Map.groupBy(
    apps.filter(({ options }) => options.mtls !== undefined),
    ({ options }) => options.mtls?.trustAnchors ?? "",
  );
  const findings: Finding[] = [];
  const where = "DAPR_TRUST_ANCHORS";
  if (byAnchors.size > 1) {
    findings.push({
      severity: "error",
      what: `apps have ${byAnchors.size} different sets of trust anchors: ${[...byAnchors.values()].map((users) => users.map(({ appId }) => appId).join(", ")).join(" / ")}`,
      where,
      why: "sidecars with different anchors refuse each other",
      fix: "give all of them the same anchors; while roots change, both the old and the new one",
    });
  }
  for (const [anchors, [first]] of byAnchors) {
    findings.push(...anchorFaults(anchors, world.clock.now()));
    const address = hostPort(first?.options.mtls?.sentryAddress ?? "", 50_001);
    if (address === undefined || findings.some(({ severity }) => severity === "error")) continue;
    try {
      const fault = sentryFault(await world.tlsView(address.host, address.port, anchors), world.clock.now());
      if (fault !== undefined) {
        const [what, why, fix] = fault;
        findings.push({
          severity: "error",
          what: `sentry at ${address.host}:${address.port} ${what}`,
          where,
          why,
          fix,
        });
      }
    } catch {
      // That nobody is there is told as a matter of reachability.
    }
  }
  return findings;
}

/** Sentries make a certificate of their own when they start, and again before it ends: its dates are those of their clocks. */
function sentryFault(
  { fault, validFromMs, expiresMs }: TlsView,
  nowMs: number,
): readonly [what: string, why: string, fix: string] | undefined {
  const why = "no sidecar gets a certificate from it";
  const seconds = (ms: number): string => `${Math.ceil(ms / 1_000)} s`;
  switch (fault) {
    case "":
      return undefined;
    case "CERT_NOT_YET_VALID":
      return [
        `has a certificate that begins in ${seconds(validFromMs - nowMs)}: its clock and the one of this machine are at least so far apart`,
        why,
        "let both machines follow the same time servers",
      ];
    case "CERT_HAS_EXPIRED":
      return [
        `has a certificate that ended ${seconds(nowMs - expiresMs)} ago`,
        why,
        "compare the clocks of both machines; where they are right, start that sentry anew",
      ];
    default:
      return [
        `has a certificate that leads to none of the trust anchors: ${fault}`,
        why,
        "take the anchors from the issuer's folder of that sentry (ca.crt)",
      ];
  }
}

function anchorFaults(anchors: string, nowMs: number): readonly Finding[] {
  const texts = anchors.match(PEM_CERTIFICATES) ?? [];
  const where = "DAPR_TRUST_ANCHORS";
  const why = "no peer can be trusted";
  if (texts.length === 0) {
    return [
      {
        severity: "error",
        what: "the trust anchors hold no certificate",
        where,
        why,
        fix: "give the text of ca.crt, not its path",
      },
    ];
  }
  return texts.flatMap((text): readonly Finding[] => {
    let certificate;
    try {
      certificate = new X509Certificate(text);
    } catch (error) {
      return [
        {
          severity: "error",
          what: `a trust anchor cannot be read: ${errorMessage(error)}`,
          where,
          why,
          fix: "copy the file as it is, with its line ends",
        },
      ];
    }
    const name = certificate.subject.replaceAll("\n", ", ") || `serial ${certificate.serialNumber}`;
    const fault = validityFault(certificate, nowMs, ANCHOR_WARNING_DAYS);
    return fault === undefined
      ? []
      : [{ severity: fault.severity, what: `the trust anchor ${name} ${fault.said}`, where, ...DATES[fault.kind] }];
  });
}
