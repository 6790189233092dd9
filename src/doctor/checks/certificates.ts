import { X509Certificate } from "node:crypto";
import { errorMessage } from "../../kit/error-message.ts";
import { hostPort } from "../back-ends.ts";
import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
/** A root that ends within that time has to be replaced now: all peers must know the next one before. */
const ANCHOR_WARNING_DAYS = 30;

const PEM = /-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/g;

/** Trust anchors, and whether the certificate authority has a certificate of one of them. */
export async function checkCertificates({ apps, world }: Examination): Promise<readonly Finding[]> {
  const byAnchors = Map.groupBy(
    apps.filter(({ options }) => options.mtls !== undefined),
    ({ options }) => options.mtls?.trustAnchors ?? "",
  );
  const findings: Finding[] = [];
  if (byAnchors.size > 1) {
    findings.push({
      severity: "error",
      what: `apps have ${byAnchors.size} different sets of trust anchors: ${[...byAnchors.values()].map((users) => users.map(({ appId }) => appId).join(", ")).join(" / ")}`,
      where: "DAPR_TRUST_ANCHORS",
      why: "sidecars with different anchors refuse each other",
      fix: "give all of them the same anchors; while roots change, both the old and the new one",
    });
  }
  for (const [anchors, [first]] of byAnchors) {
    findings.push(...anchorFaults(anchors, world.clock.now()));
    const address = hostPort(first?.options.mtls?.sentryAddress ?? "", 50_001);
    if (address === undefined || findings.some(({ severity }) => severity === "error")) continue;
    try {
      const { fault } = await world.tlsView(address.host, address.port, anchors);
      if (fault !== "") {
        findings.push({
          severity: "error",
          what: `sentry at ${address.host}:${address.port} has a certificate that leads to none of the trust anchors: ${fault}`,
          where: "DAPR_TRUST_ANCHORS",
          why: "no sidecar gets a certificate from it",
          fix: "take the anchors from the issuer's folder of that sentry (ca.crt)",
        });
      }
    } catch {
      // That nobody is there is told as a matter of reachability.
    }
  }
  return findings;
}

function anchorFaults(anchors: string, nowMs: number): readonly Finding[] {
  const texts = anchors.match(PEM) ?? [];
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
    const leftMs = certificate.validToDate.getTime() - nowMs;
    if (leftMs <= 0) {
      return [
        {
          severity: "error",
          what: `the trust anchor ${name} has expired (${certificate.validTo})`,
          where,
          why,
          fix: "make a new root, and give it to all before the old one is taken away",
        },
      ];
    }
    if (certificate.validFromDate.getTime() > nowMs) {
      return [
        {
          severity: "error",
          what: `the trust anchor ${name} is not valid before ${certificate.validFrom}`,
          where,
          why,
          fix: "check the clock of this machine",
        },
      ];
    }
    return leftMs > ANCHOR_WARNING_DAYS * DAY_MS
      ? []
      : [
          {
            severity: "warning",
            what: `the trust anchor ${name} expires in ${Math.floor(leftMs / DAY_MS)} days (${certificate.validTo})`,
            where,
            why: "after that no sidecar can reach another one",
            fix: "make a new root now, and give it to all beside the old one",
          },
        ];
  });
}
