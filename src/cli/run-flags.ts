import { basename, resolve } from "node:path";
import { appIdFault, PORT_MAX } from "../dev/run-file-check.ts";
import { readRunFile } from "../dev/run-file.ts";
import { randomAppId } from "../dev/run-plan-app-id.ts";
import { PlanError } from "../dev/run-plan-error.ts";
import { appDefaults, daprDefaults, existing, pathFault, type PathKind } from "../dev/run-plan-paths.ts";
import { APP_PROTOCOLS, appProtocolOf, isAppProtocol, sidecarFlagsOf } from "../dev/run-plan-sidecar.ts";
import { APP_CHANNEL_ADDRESS, planRunFile, RUN_HABITS } from "../dev/run-plan.ts";
import type { RunPlan } from "../dev/types.ts";
import type { Random } from "../kit/random.ts";
import { InvalidQuantityError, parseQuantity } from "../kit/quantity.ts";
import { parseLogLevel } from "../telemetry/log/logger.ts";
import { parseFlags, type FlagDefinition, type FlagKind, type ParsedFlags } from "./flag-set.ts";
import type { Environment } from "./environment.ts";

/**
 * Flags of `dapr run` (the CLI's cmd/run.go) and the two of all its commands that concern it. Names, letters and defaults
 * are contract, with one exception: nothing is assumed about placement and scheduler.
 */
export const RUN_FLAGS = [
  flag("string", "app-channel-address", APP_CHANNEL_ADDRESS, "Address the app listens on"),
  flag("string", "app-health-check-path", "", "Path of health probes, for HTTP apps"),
  flag("int", "app-health-probe-interval", "0", "Seconds between probes of the app's health; 0 for the default of 5"),
  flag("int", "app-health-probe-timeout", "0", "Milliseconds that a probe may take; 0 for the default of 500"),
  flag("int", "app-health-threshold", "0", "Failures in a row that make the app unhealthy; 0 for the default of 3"),
  letter(
    "a",
    "string",
    "app-id",
    "",
    "Unique name of the app, for calls from others; two random words where not given",
  ),
  flag("int", "app-max-concurrency", "-1", "Calls to the app at a time; -1 for no limit"),
  letter("p", "int", "app-port", "-1", "Port the app listens on"),
  letter("P", "string", "app-protocol", "http", "Protocol of the app: http, https, h2c, grpc or grpcs"),
  {
    ...flag("bool", "app-ssl", "false", ""),
    deprecated: "use '--app-protocol https|grpcs'",
  },
  { ...letter("d", "string", "components-path", "", ""), deprecated: "use --resources-path" },
  letter("c", "string", "config", "", "Configuration file; the default is config.yaml in $HOME/.dapr"),
  letter("G", "int", "dapr-grpc-port", "-1", "Port of the gRPC API; a free one where not given"),
  letter("H", "int", "dapr-http-port", "-1", "Port of the HTTP API; a free one where not given"),
  letter("I", "int", "dapr-internal-grpc-port", "-1", "Port for calls from other sidecars; a free one where not given"),
  flag("string", "dapr-listen-addresses", "", "Addresses of the APIs, comma-separated"),
  flag("bool", "enable-api-logging", "false", "Log every call of the API"),
  flag("bool", "enable-app-health-check", "false", "Probe the app's health over its protocol"),
  flag("bool", "enable-profiling", "false", "Accepted; profiles of this runtime are taken with Node's tools"),
  letter("k", "bool", "kubernetes", "false", "Not built: run files are run on this machine only"),
  flag("bool", "log-as-json", "false", "The sidecar logs in JSON"),
  flag("string", "log-level", "info", "Least level to log: debug, info, warn, error or fatal"),
  flag("string", "max-body-size", "4Mi", "Limit of request bodies as a resource quantity"),
  letter("M", "int", "metrics-port", "-1", "Port of the metrics server; a free one where not given"),
  flag("string", "placement-host-address", "", "Address of the placement service, <host> or <host>:<port>"),
  flag("int", "profile-port", "-1", "Accepted with --enable-profiling; nothing listens there"),
  flag("string", "read-buffer-size", "4Ki", "Limit of request headers as a resource quantity"),
  flag("strings", "resources-path", "[]", "Folder of resources, may repeat; the default is components in $HOME/.dapr"),
  letter(
    "f",
    "string",
    "run-file",
    "",
    "Run every app of this file, or of dapr.yaml in this folder; - for standard input",
  ),
  flag("string", "runtime-path", "", "Folder that holds .dapr, in place of the home folder"),
  flag("string", "scheduler-host-address", "", "Address of the scheduler service, <host> or <host>:<port>"),
  letter("u", "string", "unix-domain-socket", "", "Folder for sockets that take the place of the APIs' ports"),
] as const satisfies readonly FlagDefinition[];

export type RunFlag = (typeof RUN_FLAGS)[number];

/** Flags that mean something beside `--run-file`. */
const RUN_FILE_FLAGS: ReadonlySet<string> = new Set(["run-file", "kubernetes", "runtime-path", "log-as-json"]);

/** What `outrigger run` reads of its process. */
export interface RunSurroundings {
  readonly cwd: string;
  readonly env: Environment;
  /** For the name of an app that got none. */
  readonly random: Random;
  /** For `--run-file -`. */
  readonly stdin: AsyncIterable<Uint8Array | string>;
}

/** What a command line of `outrigger run` comes down to. `notices` are lines for standard error. */
export type RunInvocation =
  | { readonly action: "help" }
  | { readonly action: "run"; readonly plan: RunPlan; readonly notices: readonly string[] };

/**
 * Reads the arguments of `outrigger run`, and the run file they name.
 * @throws FlagError for a line that cannot be read, PlanError (RunFileError among them) for one that cannot be run
 */
export async function planRunCommand(args: readonly string[], surroundings: RunSurroundings): Promise<RunInvocation> {
  const flags = parseFlags<RunFlag>(RUN_FLAGS, args);
  if (flags.help) {
    return { action: "help" };
  }
  if (flags.bool("kubernetes")) {
    throw new PlanError(
      "--kubernetes (-k) is not built: outrigger runs apps of a run file on this machine; leave the flag out, or use dapr run -k",
    );
  }
  const path = flags.text("run-file");
  if (path === "") {
    return { action: "run", plan: await planSingleApp(flags, surroundings), notices: flags.notices };
  }
  const { cwd, env, stdin } = surroundings;
  const runtimePath = flags.text("runtime-path");
  const plan = await planRunFile(await readRunFile({ path, cwd, stdin }), {
    env,
    habits: RUN_HABITS,
    runtimePath: runtimePath === "" ? undefined : resolve(cwd, runtimePath),
    logAsJson: flags.bool("log-as-json"),
  });
  return { action: "run", plan, notices: [...flags.notices, ...ignoredFlags(flags)] };
}

/**
 * The plan for one app with its command, or for a sidecar alone.
 * @throws PlanError for values that cannot be and paths that are not there
 */
export async function planSingleApp(
  flags: ParsedFlags<RunFlag>,
  surroundings: Omit<RunSurroundings, "stdin">,
): Promise<RunPlan> {
  const { cwd, env, random } = surroundings;
  checkValues(flags);
  const socket = flags.text("unix-domain-socket");
  const defaults = daprDefaults(flags.text("runtime-path"), cwd, env);
  const config = flags.text("config");
  const folders = resourcesFolders(flags);
  return {
    name: basename(cwd),
    runFile: undefined,
    apps: [
      {
        appId: flags.text("app-id") || randomAppId(random),
        directory: cwd,
        command: flags.words,
        env: {},
        appPort: portOf(flags, "app-port") || undefined,
        appProtocol: appProtocolOf(flags.text("app-protocol"), flags.bool("app-ssl")),
        appChannelAddress: flags.text("app-channel-address") || APP_CHANNEL_ADDRESS,
        ports: {
          http: socket === "" ? portOf(flags, "dapr-http-port") : 0,
          grpc: socket === "" ? portOf(flags, "dapr-grpc-port") : 0,
          internalGrpc: portOf(flags, "dapr-internal-grpc-port"),
          metrics: portOf(flags, "metrics-port"),
        },
        resourcesPaths:
          folders.length === 0
            ? await existing(defaults.components, "folder")
            : await given(folders, "--resources-path", "folder", cwd),
        configPaths:
          config === "" ? await existing(defaults.config, "file") : await given([config], "--config", "file", cwd),
        sidecarFlags: sidecarFlags(flags, cwd),
        appLog: "console",
        sidecarLog: "console",
        logDirectory: appDefaults(cwd).logs,
      },
    ],
    warnings: flags.words.length === 0 ? ["WARNING: no application command found."] : [],
  };
}

function checkValues(flags: ParsedFlags<RunFlag>): void {
  const appId = flags.text("app-id");
  const fault = appId === "" ? undefined : appIdFault(appId);
  if (fault !== undefined) {
    throw new PlanError(`--app-id: ${fault}`);
  }
  const protocol = flags.text("app-protocol");
  if (protocol !== "" && !isAppProtocol(protocol)) {
    throw new PlanError(`--app-protocol must be one of ${APP_PROTOCOLS.join(", ")}, not ${JSON.stringify(protocol)}`);
  }
  const level = flags.text("log-level");
  if (parseLogLevel(level) === undefined) {
    throw new PlanError(`--log-level must be debug, info, warn, error or fatal, not ${JSON.stringify(level)}`);
  }
  for (const name of ["max-body-size", "read-buffer-size"] as const) {
    try {
      parseQuantity(flags.text(name));
    } catch (cause) {
      throw cause instanceof InvalidQuantityError
        ? new PlanError(`--${name} must be a size such as 4Mi, not ${JSON.stringify(flags.text(name))}`, { cause })
        : cause;
    }
  }
  if (flags.words[0]?.trim() === "") {
    throw new PlanError("the command must begin with a program");
  }
}

function sidecarFlags(flags: ParsedFlags<RunFlag>, cwd: string): readonly string[] {
  const socket = flags.text("unix-domain-socket");
  const text = (name: Extract<RunFlag, { readonly kind: "string" }>["name"]): string =>
    flags.given(name) ? flags.text(name) : "";
  return sidecarFlagsOf({
    apiListenAddresses: flags.text("dapr-listen-addresses"),
    enableProfiling: flags.bool("enable-profiling"),
    profilePort: flags.integer("profile-port"),
    logLevel: text("log-level"),
    logAsJson: flags.bool("log-as-json"),
    appMaxConcurrency: flags.integer("app-max-concurrency"),
    placementHostAddress: flags.text("placement-host-address"),
    schedulerHostAddress: flags.text("scheduler-host-address"),
    maxBodySize: text("max-body-size"),
    readBufferSize: text("read-buffer-size"),
    enableAppHealthCheck: flags.bool("enable-app-health-check"),
    appHealthCheckPath: flags.text("app-health-check-path"),
    appHealthProbeInterval: flags.integer("app-health-probe-interval"),
    appHealthProbeTimeout: flags.integer("app-health-probe-timeout"),
    appHealthThreshold: flags.integer("app-health-threshold"),
    enableApiLogging: flags.bool("enable-api-logging"),
    unixDomainSocket: socket === "" ? "" : resolve(cwd, socket),
  });
}

function resourcesFolders(flags: ParsedFlags<RunFlag>): readonly string[] {
  const paths = flags.list("resources-path");
  const deprecated = flags.text("components-path");
  return paths.length === 0 && deprecated !== "" ? [deprecated] : [...new Set(paths)];
}

async function given(paths: readonly string[], name: string, kind: PathKind, cwd: string): Promise<readonly string[]> {
  const absolute = paths.map((path) => resolve(cwd, path));
  for (const path of absolute) {
    const fault = await pathFault(path, kind);
    if (fault !== undefined) {
      throw new PlanError(`${name}: ${fault}`);
    }
  }
  return absolute;
}

type PortFlag = "app-port" | "dapr-http-port" | "dapr-grpc-port" | "dapr-internal-grpc-port" | "metrics-port";

/** 0 where none was given: what the CLI calls -1. */
function portOf(flags: ParsedFlags<RunFlag>, name: PortFlag): number {
  const port = flags.integer(name);
  if (port > PORT_MAX) {
    throw new PlanError(`--${name} must be at most ${PORT_MAX}, not ${port}`);
  }
  return Math.max(0, port);
}

function ignoredFlags(flags: ParsedFlags<RunFlag>): readonly string[] {
  const ignored = RUN_FLAGS.map(({ name }) => name).filter((name) => flags.given(name) && !RUN_FILE_FLAGS.has(name));
  return ignored.length === 0
    ? []
    : [
        `The following flags are ignored when using --run-file and should be configured in the run file instead: ${ignored.join(", ")}`,
      ];
}

function flag<K extends FlagKind, N extends string>(kind: K, name: N, value: string, description: string) {
  return { kind, name, default: value, description } as const;
}

function letter<K extends FlagKind, N extends string>(
  shorthand: string,
  kind: K,
  name: N,
  value: string,
  description: string,
) {
  return { ...flag(kind, name, value, description), shorthand } as const;
}
