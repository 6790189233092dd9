import type { AppPlan } from "./types.ts";

export const APP_PROTOCOLS = ["http", "https", "h2c", "grpc", "grpcs"] as const;

/** Ports that the Dapr CLI adds to a bare host. */
const PLACEMENT_PORT_DEFAULT = 50_005;
const SCHEDULER_PORT_DEFAULT = 50_006;

/**
 * What a person may say about a sidecar beside its ports and paths, by the names of the run file. Undefined, empty texts
 * and numbers that are not positive leave daprd's default.
 */
export interface SidecarSettings {
  readonly apiListenAddresses?: string | undefined;
  readonly enableProfiling?: boolean | undefined;
  readonly profilePort?: number | undefined;
  readonly logLevel?: string | undefined;
  readonly logAsJson?: boolean | undefined;
  readonly appMaxConcurrency?: number | undefined;
  readonly placementHostAddress?: string | undefined;
  readonly schedulerHostAddress?: string | undefined;
  readonly maxBodySize?: string | undefined;
  readonly readBufferSize?: string | undefined;
  readonly enableAppHealthCheck?: boolean | undefined;
  readonly appHealthCheckPath?: string | undefined;
  readonly appHealthProbeInterval?: number | undefined;
  readonly appHealthProbeTimeout?: number | undefined;
  readonly appHealthThreshold?: number | undefined;
  readonly enableApiLogging?: boolean | undefined;
  readonly unixDomainSocket?: string | undefined;
}

const FLAGS: readonly (readonly [flag: string, setting: keyof SidecarSettings])[] = [
  ["dapr-listen-addresses", "apiListenAddresses"],
  ["enable-profiling", "enableProfiling"],
  ["profile-port", "profilePort"],
  ["log-level", "logLevel"],
  ["log-as-json", "logAsJson"],
  ["app-max-concurrency", "appMaxConcurrency"],
  ["max-body-size", "maxBodySize"],
  ["read-buffer-size", "readBufferSize"],
  ["enable-app-health-check", "enableAppHealthCheck"],
  ["app-health-check-path", "appHealthCheckPath"],
  ["app-health-probe-interval", "appHealthProbeInterval"],
  ["app-health-probe-timeout", "appHealthProbeTimeout"],
  ["app-health-threshold", "appHealthThreshold"],
  ["enable-api-logging", "enableApiLogging"],
  ["unix-domain-socket", "unixDomainSocket"],
];

/**
 * daprd's flags for what was said. The addresses of placement and scheduler are passed only when they were given, where
 * the Dapr CLI takes `localhost`: a sidecar that is told of a service waits for it.
 */
export function sidecarFlagsOf(settings: SidecarSettings): readonly string[] {
  const flags = FLAGS.flatMap(([flag, setting]) => flagOf(flag, settings[setting]));
  return [
    ...flags,
    ...addressFlag("placement-host-address", settings.placementHostAddress, PLACEMENT_PORT_DEFAULT),
    ...addressFlag("scheduler-host-address", settings.schedulerHostAddress, SCHEDULER_PORT_DEFAULT),
  ];
}

/** Protocols are read without case. */
export function isAppProtocol(text: string): boolean {
  return (APP_PROTOCOLS as readonly string[]).includes(text.toLowerCase());
}

/** @param text one that `isAppProtocol` takes, or empty for http; `ssl` is the deprecated way to say https or grpcs */
export function appProtocolOf(text: string, ssl: boolean): AppPlan["appProtocol"] {
  const protocol = APP_PROTOCOLS.find((known) => known === text.toLowerCase()) ?? "http";
  if (ssl && protocol === "http") {
    return "https";
  }
  return ssl && protocol === "grpc" ? "grpcs" : protocol;
}

function flagOf(flag: string, value: string | number | boolean | undefined): readonly string[] {
  switch (typeof value) {
    case "string":
      return value === "" ? [] : [`--${flag}=${value}`];
    case "number":
      return value > 0 ? [`--${flag}=${value}`] : [];
    case "boolean":
      return value ? [`--${flag}`] : [];
    default:
      return [];
  }
}

function addressFlag(flag: string, written: string | undefined, port: number): readonly string[] {
  const address = written?.trim() ?? "";
  return address === "" ? [] : [`--${flag}=${address.includes(":") ? address : `${address}:${port}`}`];
}
