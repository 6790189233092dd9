import { X509Certificate } from "node:crypto";
import { errorMessage } from "../../kit/error-message.ts";
import { readSentryToken } from "../../security/sentry-token.ts";
import { readOtlpTls } from "../../telemetry/tracing/otlp-tls.ts";
import { tracingSettings } from "../../telemetry/tracing/settings.ts";
import type { ExaminedApp, Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";
import { PEM_CERTIFICATES, validityFault } from "./validity.ts";

const TOKEN_VARIABLE = "DAPR_SENTRY_TOKEN_FILE";
const COLLECTOR_VARIABLES = "OTEL_EXPORTER_OTLP_*CERTIFICATE";
const WARNING_DAYS = 7;

/** Files that say who a sidecar is, or whom it trusts: its token for sentry, and the certificates of its collector. */
export async function checkIdentityFiles({ apps, world }: Examination): Promise<readonly Finding[]> {
  const nowMs = world.clock.now();
  const found = await Promise.all(
    apps.map(async (app) => [...(await tokenFindings(app, nowMs)), ...(await collectorFindings(app, nowMs))]),
  );
  return found.flat();
}

/** No part of a token is told. */
async function tokenFindings({ appId, options }: ExaminedApp, nowMs: number): Promise<readonly Finding[]> {
  const finding = (what: string, fix: string): Finding => ({
    severity: "error",
    app: appId,
    what,
    where: options.mtls?.tokenFile || TOKEN_VARIABLE,
    why: "sentry gives it no certificate",
    fix,
  });
  try {
    const { token } = await readSentryToken(options.mtls?.tokenFile);
    const { exp, nbf } = claimsOf(token);
    if (exp !== undefined && exp * 1_000 <= nowMs) {
      return [finding("its token for sentry has expired", "have whoever writes that file write a new one")];
    }
    return nbf !== undefined && nbf * 1_000 > nowMs
      ? [finding("its token for sentry is not valid yet", "compare the clocks of this machine and of its issuer")]
      : [];
  } catch (error) {
    return [finding(errorMessage(error), "correct the variable, or have the file written")];
  }
}

async function collectorFindings(
  { appId, project, environment }: ExaminedApp,
  nowMs: number,
): Promise<readonly Finding[]> {
  if (project === undefined) {
    return [];
  }
  const finding = (what: string, severity: Finding["severity"], why: string): Finding => ({
    severity,
    app: appId,
    what,
    where: COLLECTOR_VARIABLES,
    why,
    fix: "correct spec.tracing or the variables that begin with OTEL_EXPORTER_OTLP_",
  });
  try {
    const { otlp } = tracingSettings(project.configuration.tracing, environment);
    const tls = otlp === undefined ? {} : await readOtlpTls(otlp);
    return Object.entries({ "root of its collector": tls.ca, "certificate for its collector": tls.cert }).flatMap(
      ([title, text]) =>
        (text?.match(PEM_CERTIFICATES) ?? []).flatMap((pem) => {
          const fault = validityFault(new X509Certificate(pem), nowMs, WARNING_DAYS);
          return fault === undefined
            ? []
            : [finding(`the ${title} ${fault.said}`, fault.severity, "its spans are refused, and dropped")];
        }),
    );
  } catch (error) {
    return [finding(`tracing cannot be set up: ${errorMessage(error)}`, "error", "its sidecar ends at its start")];
  }
}

interface Claims {
  readonly exp?: number;
  readonly nbf?: number;
}

/** Seconds since the Unix epoch; nothing for a text that is no JWT. */
function claimsOf(token: string): Claims {
  const [, payload = ""] = token.split(".");
  try {
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown> | null;
    const numberOf = (name: string): number | undefined => {
      const value = claims?.[name];
      return typeof value === "number" ? value : undefined;
    };
    const [exp, nbf] = [numberOf("exp"), numberOf("nbf")];
    return { ...(exp === undefined ? {} : { exp }), ...(nbf === undefined ? {} : { nbf }) };
  } catch {
    return {};
  }
}
