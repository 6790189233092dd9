import type { Environment } from "./environment.ts";
import { InvalidQuantityError, parseQuantity } from "../kit/quantity.ts";
import { formatGoDuration } from "../kit/duration.ts";
import type { LogLevel } from "../kit/logger.ts";
import type { Http2Implementation } from "../net/h2/implementations.ts";
import { RECONCILE_MS_DEFAULT, type SidecarOptions } from "../sidecar/options.ts";
import { parseLogLevel } from "../telemetry/log/logger.ts";
import { parseFlags, type ParsedFlags } from "./flag-set.ts";
import { isTruthy, parseGoDecimal, ValueError } from "./go-values.ts";
import { mtlsOptions } from "./mtls-flags.ts";
import { RefusedError } from "./refused-error.ts";
import { SIDECAR_FLAGS, type SidecarFlag } from "./sidecar-flags.ts";
import { namesAddress, unbuiltFlagProblem } from "./unbuilt-flags.ts";

export interface LogOptions {
  readonly level: LogLevel;
  readonly asJson: boolean;
  /** Empty: standard output. */
  readonly file: string;
}

/** What a sidecar's command line asks for. `notices` are lines for standard error, `warnings` lines for the log. */
export type SidecarInvocation =
  | { readonly action: "help" | "version" | "build-info" }
  | { readonly action: "wait"; readonly httpPort: string }
  | {
      readonly action: "run";
      /** An internal port of 0 stands for the stable port of `stable-port.ts`. */
      readonly options: SidecarOptions;
      readonly log: LogOptions;
      readonly http2: Http2Implementation;
      readonly notices: readonly string[];
      readonly warnings: readonly string[];
    };

/** Flags that were read but cannot be used together or at all. The program logs it as fatal and exits with code 1. */
export class OptionsError extends Error {
  override readonly name = "OptionsError";
  /** What the log line that tells it is written with. */
  readonly appId: string;
  readonly asJson: boolean;

  constructor(message: string, log: { readonly appId?: string; readonly asJson?: boolean } = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.appId = log.appId ?? "";
    this.asJson = log.asJson ?? false;
  }
}

const BODY_BYTES_DEFAULT = 4 << 20;
const READ_BUFFER_BYTES_DEFAULT = 4 << 10;
/** Go's servers take this many bytes of headers where the limit is switched off. */
const READ_BUFFER_BYTES_UNLIMITED = 1 << 20;
const BINDING_DISCOVERY_TIMEOUT_MS_DEFAULT = 3_000;
const GRACEFUL_SHUTDOWN_SECONDS_DEFAULT = 5;
const PROBE_INTERVAL_SECONDS_DEFAULT = 5;
const PROBE_TIMEOUT_MS_DEFAULT = 500;
const THRESHOLD_DEFAULT = 3;
const INT32_MAX = 2 ** 31 - 1;
const PORT_MAX = 65_535;

/**
 * Reads daprd's command line and environment. Order of checks, defaults and texts are those of 1.18.3's
 * cmd/daprd/options and pkg/runtime/config.go.
 * @throws FlagError when the line cannot be read, OptionsError when it asks for what cannot be
 */
export function parseSidecarFlags(args: readonly string[], env: Environment): SidecarInvocation {
  const flags = parseFlags<SidecarFlag>(SIDECAR_FLAGS, args);
  if (flags.help) {
    return { action: "help" };
  }
  const limits = parseLimits(flags);
  if (flags.bool("version")) {
    return { action: "version" };
  }
  if (flags.bool("build-info")) {
    return { action: "build-info" };
  }
  if (flags.bool("wait")) {
    return { action: "wait", httpPort: flags.text("dapr-http-port") };
  }
  const level = parseLogLevel(flags.text("log-level"));
  if (level === undefined) {
    throw new OptionsError(`invalid value for --log-level: ${flags.text("log-level")}`);
  }
  const log = { level, asJson: flags.bool("log-as-json"), file: flags.text("log-file") };
  const warnings: string[] = [];
  try {
    const options = runOptions(flags, env, limits, warnings);
    return { action: "run", options, log, http2: http2Of(flags), notices: flags.notices, warnings };
  } catch (error) {
    if (error instanceof RefusedError) {
      throw new OptionsError(
        `Fatal error from runtime: ${error.message}`,
        { appId: flags.text("app-id"), asJson: log.asJson },
        error,
      );
    }
    throw error;
  }
}

function http2Of(flags: ParsedFlags<SidecarFlag>): Http2Implementation {
  const text = flags.text("http2");
  if (text === "own" || text === "node") {
    return text;
  }
  throw new RefusedError(`invalid value for 'http2': ${text}: it must be own or node`);
}

interface Limits {
  readonly maxBodyBytes: number;
  readonly readBufferBytes: number;
}

/** Checked before anything else, even with `--version`. */
function parseLimits(flags: ParsedFlags<SidecarFlag>): Limits {
  const maxBodyBytes = flags.given("max-body-size")
    ? quantity("max-body-size", flags.text("max-body-size"))
    : scaled(flags.integer("dapr-http-max-request-size"), 1 << 20);
  const readBufferBytes = flags.given("read-buffer-size")
    ? quantity("read-buffer-size", flags.text("read-buffer-size"))
    : scaled(flags.integer("dapr-http-read-buffer-size"), 1 << 10);
  const disseminateMs = flags.milliseconds("actors-disseminate-timeout");
  if (disseminateMs <= 0) {
    const shown = formatGoDuration(disseminateMs);
    throw new OptionsError(
      `Failed to parse flags: invalid value for 'actors-disseminate-timeout' option: must be positive, got ${shown}`,
    );
  }
  return {
    maxBodyBytes: maxBodyBytes === -1 ? BODY_BYTES_DEFAULT : Math.max(0, maxBodyBytes),
    readBufferBytes:
      readBufferBytes === -1
        ? READ_BUFFER_BYTES_DEFAULT
        : readBufferBytes > 0
          ? readBufferBytes
          : READ_BUFFER_BYTES_UNLIMITED,
  };
}

function runOptions(
  flags: ParsedFlags<SidecarFlag>,
  env: Environment,
  limits: Limits,
  warnings: string[],
): SidecarOptions {
  const unbuilt = unbuiltFlagProblem(flags);
  if (unbuilt !== undefined) {
    throw new RefusedError(unbuilt);
  }
  const appId = checkedAppId(flags.text("app-id"));
  const ports = parsePorts(flags);
  const seconds = flags.integer("dapr-graceful-shutdown-seconds");
  const concurrency = flags.integer("app-max-concurrency");
  if (flags.bool("enable-profiling")) {
    warnings.push(
      `--enable-profiling is accepted, but Go's pprof is not served: nothing listens on port ${flags.text("profile-port")}; use Node's --cpu-prof or inspector`,
    );
  }
  return {
    appId,
    namespace: env["NAMESPACE"] ?? "",
    ...ports,
    appProtocol: appProtocol(flags.text("app-protocol"), flags.bool("app-ssl"), warnings),
    appChannelAddress: flags.text("app-channel-address"),
    appMaxConcurrency: concurrency > 0 ? concurrency : -1,
    listenAddresses: flags.text("dapr-listen-addresses") === "" ? [] : flags.text("dapr-listen-addresses").split(","),
    internalListenAddress: flags.text("dapr-internal-grpc-listen-address"),
    publicListenAddress: flags.text("dapr-public-listen-address"),
    unixDomainSocket: flags.text("unix-domain-socket"),
    resourcesPaths: resourcesPaths(flags),
    configPaths: flags.list("config"),
    hotReload: { reconcileMs: reconcileMs(flags) },
    allowedOrigins: flags.text("allowed-origins"),
    ...limits,
    gracefulShutdownMs: (seconds < 0 ? GRACEFUL_SHUTDOWN_SECONDS_DEFAULT : seconds) * 1000,
    blockShutdownMs: flags.given("dapr-block-shutdown-duration")
      ? flags.milliseconds("dapr-block-shutdown-duration")
      : undefined,
    apiLogging: flags.given("enable-api-logging") ? flags.bool("enable-api-logging") : undefined,
    appHealth: appHealth(flags),
    bindingDiscoveryTimeoutMs: discoveryTimeoutMs(flags),
    disableInitEndpoints: disabledEndpoints(flags.list("disable-init-endpoints")),
    placement: {
      addresses: placementAddresses(flags),
      disseminationTimeoutMs: flags.milliseconds("actors-disseminate-timeout"),
    },
    scheduler: { addresses: schedulerAddresses(flags, env), jobStreams: flags.integer("scheduler-job-streams") },
    h2cDisabled: isTruthy(env["DAPR_HTTP_DISABLE_H2C"]),
    mtls: mtlsOptions(flags, env),
    metrics: {
      enabled: flags.bool("enable-metrics"),
      port: flags.bool("enable-metrics")
        ? parsePort("metrics-port", "failed to parse metrics port: ", flags.text("metrics-port"))
        : 0,
      listenAddress: flags.text("metrics-listen-address"),
    },
    apiToken: env["DAPR_API_TOKEN"] ?? "",
    appToken: env["APP_API_TOKEN"] ?? "",
    hostAddress: env["DAPR_HOST_IP"] ?? "",
    logLevel: flags.text("log-level").toLowerCase(),
  };
}

function parsePorts(
  flags: ParsedFlags<SidecarFlag>,
): Pick<SidecarOptions, "appPort" | "httpPort" | "grpcPort" | "internalGrpcPort" | "publicPort"> {
  const httpPort = parsePort("dapr-http-port", "error parsing dapr-http-port flag: ", flags.text("dapr-http-port"));
  const grpcPort = parsePort("dapr-grpc-port", "error parsing dapr-grpc-port flag: ", flags.text("dapr-grpc-port"));
  // Any number: `dapr run` gives -1 to every sidecar, and nothing listens there.
  parseDecimal("error parsing profile-port flag: ", flags.text("profile-port"));
  const internal = flags.text("dapr-internal-grpc-port");
  const internalGrpcPort =
    internal === "" ? 0 : parsePort("dapr-internal-grpc-port", "error parsing dapr-internal-grpc-port: ", internal);
  const given = flags.text("dapr-public-port");
  const publicPort =
    given === "" ? undefined : parsePort("dapr-public-port", "error parsing dapr-public-port: ", given);
  const app = flags.text("app-port");
  const appPort = app === "" ? 0 : parsePort("app-port", "error parsing app-port: ", app);
  if (appPort !== 0 && appPort === httpPort) {
    throw new RefusedError(`the 'dapr-http-port' argument value ${httpPort} conflicts with 'app-port'`);
  }
  if (appPort !== 0 && appPort === grpcPort) {
    throw new RefusedError(`the 'dapr-grpc-port' argument value ${grpcPort} conflicts with 'app-port'`);
  }
  return { appPort: appPort === 0 ? undefined : appPort, httpPort, grpcPort, internalGrpcPort, publicPort };
}

function parsePort(flag: string, complaint: string, text: string): number {
  const port = parseDecimal(complaint, text);
  if (port >= 0 && port <= PORT_MAX) {
    return port;
  }
  throw new RefusedError(`${complaint}--${flag} must be between 0 and ${PORT_MAX}, not ${port}`);
}

function parseDecimal(complaint: string, text: string): number {
  try {
    return parseGoDecimal(text);
  } catch (error) {
    throw error instanceof ValueError ? new RefusedError(complaint + error.message, { cause: error }) : error;
  }
}

function checkedAppId(appId: string): string {
  if (appId === "") {
    throw new RefusedError("parameter app-id cannot be empty");
  }
  if (appId.includes(".")) {
    throw new RefusedError("parameter app-id cannot contain dots");
  }
  return appId;
}

function appProtocol(text: string, ssl: boolean, warnings: string[]): SidecarOptions["appProtocol"] {
  const protocol = text === "" ? "http" : text.toLowerCase();
  switch (protocol) {
    case "https":
    case "h2c":
    case "grpcs":
      return protocol;
    case "http":
    case "grpc": {
      if (!ssl || text === "") {
        return protocol;
      }
      const secured = protocol === "http" ? "https" : "grpcs";
      warnings.push(`The 'app-ssl' flag is deprecated; use 'app-protocol=${secured}' instead`);
      return secured;
    }
    default:
      throw new RefusedError(`invalid value for 'app-protocol': ${text}`);
  }
}

function resourcesPaths(flags: ParsedFlags<SidecarFlag>): readonly string[] {
  const alias = flags.text("components-path");
  const paths = flags.list("resources-path");
  return paths.length === 0 && alias !== "" ? [alias] : paths;
}

/** `--actors-service=placement:<addresses>` is how control planes of 1.13 and before say it. */
function placementAddresses(flags: ParsedFlags<SidecarFlag>): readonly string[] {
  const current = flags.text("placement-host-address");
  const given = current === "" ? flags.text("actors-service").replace(/^placement:/, "") : current;
  return given
    .split(",")
    .filter(namesAddress)
    .map((address) => address.replaceAll(/['"\s]/g, ""));
}

/** The injector of older control planes gives the addresses in the environment. */
function schedulerAddresses(flags: ParsedFlags<SidecarFlag>, env: Environment): readonly string[] {
  const given = flags.given("scheduler-host-address")
    ? flags.list("scheduler-host-address")
    : (env["DAPR_SCHEDULER_HOST_ADDRESS_DNS_A"] ?? "").split(",");
  return given.filter(namesAddress).map((address) => address.trim());
}

function disabledEndpoints(words: readonly string[]): SidecarOptions["disableInitEndpoints"] {
  const endpoints: ("config" | "subscribe")[] = [];
  for (const word of words) {
    const endpoint = word.trim().toLowerCase();
    if (endpoint === "config" || endpoint === "subscribe") {
      endpoints.push(endpoint);
    } else if (endpoint !== "") {
      throw new RefusedError(`invalid value for 'disable-init-endpoints': ${endpoint}`);
    }
  }
  return endpoints;
}

/** Values that make no sense mean the default, except a probe longer than its interval. */
/** A timeout that is not positive means the default. */
function discoveryTimeoutMs(flags: ParsedFlags<SidecarFlag>): number {
  const timeoutMs = flags.milliseconds("app-binding-options-timeout");
  return timeoutMs > 0 ? timeoutMs : BINDING_DISCOVERY_TIMEOUT_MS_DEFAULT;
}

/** An interval that is not positive means the default. */
function reconcileMs(flags: ParsedFlags<SidecarFlag>): number {
  const intervalMs = flags.milliseconds("hot-reload-reconcile-interval");
  return intervalMs > 0 ? intervalMs : RECONCILE_MS_DEFAULT;
}

function appHealth(flags: ParsedFlags<SidecarFlag>): SidecarOptions["appHealth"] {
  const interval = flags.integer("app-health-probe-interval");
  const timeout = flags.integer("app-health-probe-timeout");
  const threshold = flags.integer("app-health-threshold");
  const probeIntervalMs = (interval <= 0 ? PROBE_INTERVAL_SECONDS_DEFAULT : interval) * 1000;
  const probeTimeoutMs = timeout <= 0 ? PROBE_TIMEOUT_MS_DEFAULT : timeout;
  if (probeTimeoutMs > probeIntervalMs) {
    throw new RefusedError("value for 'health-probe-timeout' must be smaller than 'health-probe-interval'");
  }
  return {
    enabled: flags.bool("enable-app-health-check"),
    path: flags.text("app-health-check-path"),
    probeIntervalMs,
    probeTimeoutMs,
    threshold: threshold < 1 || threshold >= INT32_MAX ? THRESHOLD_DEFAULT : threshold,
  };
}

function quantity(flag: string, text: string): number {
  try {
    return parseQuantity(text);
  } catch (error) {
    if (error instanceof InvalidQuantityError) {
      throw new OptionsError(`Failed to parse flags: invalid value for '${flag}' option: ${error.message}`, {}, error);
    }
    throw error;
  }
}

function scaled(count: number, unitBytes: number): number {
  return count > 0 ? count * unitBytes : count;
}
