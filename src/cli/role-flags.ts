import type { RoleTls } from "../control-plane/shared/role-identity.ts";
import type { RoleSettings } from "../control-plane/shared/types.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { LogLevel } from "../kit/logger.ts";
import { isSpiffeSegment } from "../kit/spiffe-id.ts";
import { parseLogLevel } from "../telemetry/log/logger.ts";
import type { FlagDefinition, FlagKind, ParsedFlags } from "./flag-set.ts";
import { parseGoDecimal } from "./go-values.ts";
import type { Environment } from "./environment.ts";
import { trustDomainFault } from "./trust-domain.ts";

/** Flags that every role of the control plane takes, as Dapr 1.18.3 has them; a role's own table begins with these. */
export const ROLE_FLAGS = [
  roleFlag("bool", "enable-metrics", "true", "Serve Prometheus metrics"),
  roleFlag("string", "healthz-listen-address", "", "Address of the health server; empty for every interface"),
  roleFlag("int", "healthz-port", "8080", "Port of the health server"),
  roleFlag("bool", "log-as-json", "false", "Log in JSON"),
  roleFlag("string", "log-file", "", "Append the log to this file in place of standard output"),
  roleFlag("string", "log-level", "info", "Least level to log: debug, info, warn, error or fatal"),
  roleFlag("string", "metrics-listen-address", "0.0.0.0", "Address of the metrics server"),
  roleFlag("string", "metrics-port", "9090", "Port of the metrics server"),
  roleFlag("string", "mode", "standalone", "Where the role runs: standalone or kubernetes"),
] as const satisfies readonly FlagDefinition[];

/** Flags of the roles that sidecars connect to over mutual TLS (placement, scheduler). */
export const TLS_FLAGS = [
  roleFlag("string", "sentry-address", "dapr-sentry.default.svc:443", "Address of the certificate authority"),
  roleFlag("bool", "tls-enabled", "false", "Use mutual TLS with certificates of the sentry service"),
  roleFlag("string", "trust-anchors-file", "/var/run/secrets/dapr.io/tls/ca.crt", "File of the trust anchors"),
  roleFlag("string", "trust-domain", "localhost", "Trust domain of the control plane"),
] as const satisfies readonly FlagDefinition[];

export type RoleFlag = (typeof ROLE_FLAGS)[number];
export type TlsFlag = (typeof TLS_FLAGS)[number];

/** A command line that is well-formed and yet cannot be used; logged as fatal, exit code 1. */
export class RoleOptionsError extends Error {
  override readonly name = "RoleOptionsError";
}

/** How a role logs. @throws RoleOptionsError */
export function roleLogLevel(flags: ParsedFlags<RoleFlag>): LogLevel {
  const level = parseLogLevel(flags.text("log-level"));
  if (level === undefined) {
    throw new RoleOptionsError(`invalid value for --log-level: ${flags.text("log-level")}`);
  }
  return level;
}

/** @throws RoleOptionsError */
export function roleSettings(flags: ParsedFlags<RoleFlag>): RoleSettings {
  const metricsEnabled = flags.bool("enable-metrics");
  return {
    healthPort: portOf("healthz-port", flags.integer("healthz-port")),
    healthListenAddress: flags.text("healthz-listen-address"),
    metricsEnabled,
    metricsPort: metricsEnabled ? portOf("metrics-port", metricsPort(flags)) : 0,
    metricsListenAddress: flags.text("metrics-listen-address"),
  };
}

/**
 * How a role comes to its certificates; undefined without `--tls-enabled`.
 *
 * @throws RoleOptionsError for names that cannot stand in an identity
 */
export function roleTls(flags: ParsedFlags<TlsFlag>, env: Environment): RoleTls | undefined {
  const trustDomain = flags.text("trust-domain");
  const namespace = env["NAMESPACE"] || "default";
  const fault = trustDomainFault(trustDomain);
  if (fault !== undefined) {
    throw new RoleOptionsError(fault);
  }
  if (!flags.bool("tls-enabled")) {
    return undefined;
  }
  if (!isSpiffeSegment(namespace)) {
    throw new RoleOptionsError(`failed to parse sentry SPIFFE ID: "${namespace}" is not a namespace`);
  }
  return {
    sentryAddress: flags.given("sentry-address") ? flags.text("sentry-address") : `dapr-sentry.${namespace}.svc:443`,
    trustDomain,
    namespace,
    trustAnchorsFile: flags.text("trust-anchors-file"),
    localIdentity: env["SENTRY_LOCAL_IDENTITY"] ?? "",
    tokenFile: env["DAPR_SENTRY_TOKEN_FILE"],
  };
}

const PORT_MAX = 65_535;

/** @throws RoleOptionsError unless it is a TCP port; 0 is any free one */
export function portOf(flag: string, port: number): number {
  if (port < 0 || port > PORT_MAX) {
    throw new RoleOptionsError(`invalid value for --${flag}: ${port} is not a port`);
  }
  return port;
}

function metricsPort(flags: ParsedFlags<RoleFlag>): number {
  try {
    return parseGoDecimal(flags.text("metrics-port"));
  } catch (error) {
    throw new RoleOptionsError(`failed to parse metrics port: ${errorMessage(error)}`, { cause: error });
  }
}

/** One row of a role's table of flags. */
export function roleFlag<K extends FlagKind, N extends string>(kind: K, name: N, value: string, description: string) {
  return { kind, name, default: value, description } as const;
}
