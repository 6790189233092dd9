import { createPrivateKey, X509Certificate } from "node:crypto";
import { errorMessage } from "../../kit/error-message.ts";
import type { HttpEndpointResource, TlsDocument } from "../../resources/http-endpoint.ts";
import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";
import { PEM_CERTIFICATES, validityFault } from "./validity.ts";

/** Clients' certificates are often made for weeks, and renewed when a third of that is left. */
const WARNING_DAYS = 7;

type ClientTls = NonNullable<HttpEndpointResource["clientTls"]>;

/** Dates of the certificates that HTTPEndpoints are called with, and whether their keys are theirs; what is a secret is not looked up. */
export async function checkEndpointCertificates({ resources, world, at }: Examination): Promise<readonly Finding[]> {
  const endpoints = resources.flatMap((each) => (each.kind === "HTTPEndpoint" ? [each.resource] : []));
  const found = await Promise.all(
    endpoints.map(async ({ name, clientTls, origin }) => {
      const faults = clientTls === undefined ? [] : tlsFaults(clientTls, world.clock.now());
      return await Promise.all(
        faults.map(async ({ field, ...fault }): Promise<Finding> => ({
          ...fault,
          what: `HTTPEndpoint ${name}: ${fault.what}`,
          where: await at(origin, ["spec", "clientTLS", field]),
          why: "calls of it fail in the TLS handshake",
        })),
      );
    }),
  );
  return found.flat();
}

interface Fault extends Pick<Finding, "severity" | "what" | "fix"> {
  readonly field: string;
}

function tlsFaults({ certificate, rootCa, privateKey }: ClientTls, nowMs: number): readonly Fault[] {
  return [
    ...dateFaults("certificate", "its client certificate", certificate, nowMs),
    ...dateFaults("rootCA", "the root that it trusts", rootCa, nowMs),
    ...keyFaults(certificate, privateKey),
  ];
}

function dateFaults(field: string, title: string, document: TlsDocument | undefined, nowMs: number): readonly Fault[] {
  const written = textOf(document);
  if (written === "") {
    return [];
  }
  const fix = "write the PEM text of a certificate that is valid";
  const texts = written.match(PEM_CERTIFICATES) ?? [];
  if (texts.length === 0) {
    return [{ field, severity: "error", what: `${title} is no certificate`, fix }];
  }
  return texts.flatMap((text): readonly Fault[] => {
    try {
      const fault = validityFault(new X509Certificate(text), nowMs, WARNING_DAYS);
      return fault === undefined ? [] : [{ field, severity: fault.severity, what: `${title} ${fault.said}`, fix }];
    } catch (error) {
      return [{ field, severity: "error", what: `${title} cannot be read: ${errorMessage(error)}`, fix }];
    }
  });
}

/** The text of a key is never told. */
function keyFaults(certificate: TlsDocument | undefined, privateKey: TlsDocument | undefined): readonly Fault[] {
  const [leaf] = textOf(certificate).match(PEM_CERTIFICATES) ?? [];
  const key = textOf(privateKey);
  if (leaf === undefined || key === "") {
    return [];
  }
  const field = "privateKey";
  try {
    return new X509Certificate(leaf).checkPrivateKey(createPrivateKey(key))
      ? []
      : [
          {
            field,
            severity: "error",
            what: "its private key is not the one of its client certificate",
            fix: "write the key that the certificate was made for",
          },
        ];
  } catch {
    return [
      { field, severity: "error", what: "its private key cannot be read", fix: "write it as PEM, not encrypted" },
    ];
  }
}

function textOf(document: TlsDocument | undefined): string {
  return document?.secretKeyRef === undefined ? (document?.value ?? "") : "";
}
