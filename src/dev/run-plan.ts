import { basename } from "node:path";
import type { Place } from "../resources/yaml-node.ts";
import { appIdFault } from "./run-file-check.ts";
import type { RunFile } from "./run-file.ts";
import type { AppSettings, SharedSettings, Written } from "./run-file-shape.ts";
import { RunFileError, type RunFileProblem } from "./run-plan-error.ts";
import {
  appDefaults,
  daprDefaults,
  existing,
  firstPaths,
  pathFault,
  resolvePath,
  type Environment,
  type PathKind,
} from "./run-plan-paths.ts";
import { portConflicts } from "./run-plan-ports.ts";
import { appProtocolOf, sidecarFlagsOf } from "./run-plan-sidecar.ts";
import type { AppPlan, LogDestination, RunPlan } from "./types.ts";

/** What a command does where a run file leaves it open. */
export interface PlanHabits {
  /** Apps without resources or a Configuration of their own get those that `dapr init` has written to the home folder. */
  readonly homeDefaults: boolean;
  readonly appLog: LogDestination;
  readonly sidecarLog: LogDestination;
}

/** As the Dapr CLI. */
export const RUN_HABITS: PlanHabits = { homeDefaults: true, appLog: "fileAndConsole", sidecarLog: "file" };

/** `outrigger dev` brings components of its own and shows everything. */
export const DEV_HABITS: PlanHabits = { homeDefaults: false, appLog: "console", sidecarLog: "console" };

export interface PlanOptions {
  readonly env: Environment;
  readonly habits: PlanHabits;
  /** `--runtime-path`: the folder that holds `.dapr`, where the run file names none; absolute. */
  readonly runtimePath?: string | undefined;
  /** `--log-as-json` for all sidecars. */
  readonly logAsJson?: boolean;
}

export const APP_CHANNEL_ADDRESS = "127.0.0.1";

/**
 * Fills in what a run file leaves open, as the Dapr CLI does (pkg/runfileconfig). A value of the app wins over one of
 * `common`; resources and Configuration come from the app, else from its `.dapr` folder, else from `common`, else from the
 * home folder. Paths of `common` and `appDirPath` start at the run file, those of an app at its own folder. Beyond the
 * CLI, a `false` that an app writes wins over a `true` of `common`, and home folders without resources are no mistake.
 * @throws RunFileError for paths that are not there and for apps that get in each other's way
 */
export async function planRunFile(file: RunFile, options: PlanOptions): Promise<RunPlan> {
  const planner = new Planner(file, options);
  const common = await planner.common();
  const apps: AppPlan[] = [];
  for (const app of file.apps) {
    apps.push(await planner.app(app, common));
  }
  const problems = [...planner.problems, ...duplicateIds(file, apps), ...portConflicts(file, apps)];
  if (problems.length > 0) {
    throw new RunFileError(problems.toSorted((a, b) => a.place.line - b.place.line || a.place.column - b.place.column));
  }
  return {
    name: file.name === "" ? basename(file.directory) : file.name,
    runFile: file.path,
    apps,
    warnings: [...file.warnings, ...planner.warnings],
  };
}

/** Paths that `common` says, absolute. */
interface CommonPaths {
  readonly resources: readonly string[];
  readonly config: string | undefined;
  readonly runtimePath: string | undefined;
}

class Planner {
  readonly problems: RunFileProblem[] = [];
  readonly warnings: string[] = [];
  readonly #file: RunFile;
  readonly #options: PlanOptions;

  constructor(file: RunFile, options: PlanOptions) {
    this.#file = file;
    this.#options = options;
  }

  async common(): Promise<CommonPaths> {
    const { common, directory } = this.#file;
    return await this.#paths(directory, common);
  }

  async app({ value: app, place }: Written<AppSettings>, common: CommonPaths): Promise<AppPlan> {
    const directory = (await this.#path(this.#file.directory, app.appDirPath, "folder")) ?? this.#file.directory;
    const own = await this.#paths(directory, app);
    const settings = merged(app, this.#file.common);
    const appId = this.#appId(app, place, directory);
    const command = app.command?.value ?? [];
    if (command.length === 0) {
      this.warnings.push(
        `no command found for app ${JSON.stringify(appId)} in ${this.#file.label}: only its sidecar runs`,
      );
    }
    const { habits, env } = this.#options;
    const defaults = appDefaults(directory);
    const home = daprDefaults(own.runtimePath ?? common.runtimePath ?? this.#options.runtimePath, directory, env);
    return {
      appId,
      directory,
      command,
      env: plain(settings.env),
      appPort: positive(app.appPort),
      appProtocol: appProtocolOf(settings.appProtocol?.value ?? "", settings.appSSL?.value ?? false),
      appChannelAddress: app.appChannelAddress?.value || APP_CHANNEL_ADDRESS,
      ports: {
        http: positive(app.daprHTTPPort) ?? 0,
        grpc: positive(app.daprGRPCPort) ?? 0,
        internalGrpc: positive(app.daprInternalGRPCPort) ?? 0,
        metrics: positive(app.metricsPort) ?? 0,
      },
      resourcesPaths: await firstPaths(
        () => own.resources,
        () => existing(defaults.resources, "folder"),
        () => common.resources,
        () => (habits.homeDefaults ? existing(home.components, "folder") : []),
      ),
      configPaths: await firstPaths(
        () => listOf(own.config),
        () => existing(defaults.config, "file"),
        () => listOf(common.config),
        () => (habits.homeDefaults ? existing(home.config, "file") : []),
      ),
      sidecarFlags: this.#sidecarFlags(app, settings, directory),
      appLog: (settings.appLogDestination?.value || habits.appLog) as LogDestination,
      sidecarLog: (settings.daprdLogDestination?.value || habits.sidecarLog) as LogDestination,
      logDirectory: defaults.logs,
    };
  }

  #appId(app: AppSettings, place: Place, directory: string): string {
    const written = app.appID?.value ?? "";
    const appId = written === "" ? basename(directory) : written;
    const fault = written === "" ? appIdFault(appId) : undefined;
    if (fault !== undefined) {
      this.problems.push({ place, text: `the folder's name is no app id, so appID is needed: ${fault}` });
    }
    return appId;
  }

  #sidecarFlags(app: AppSettings, settings: SharedSettings, directory: string): readonly string[] {
    const socket = app.unixDomainSocket?.value ?? "";
    return sidecarFlagsOf({
      apiListenAddresses: settings.apiListenAddresses?.value,
      enableProfiling: settings.enableProfiling?.value,
      profilePort: app.profilePort?.value,
      logLevel: settings.logLevel?.value,
      logAsJson: this.#options.logAsJson,
      appMaxConcurrency: settings.appMaxConcurrency?.value,
      placementHostAddress: settings.placementHostAddress?.value,
      schedulerHostAddress: settings.schedulerHostAddress?.value,
      maxBodySize: settings.maxBodySize?.value,
      readBufferSize: settings.readBufferSize?.value,
      enableAppHealthCheck: settings.enableAppHealthCheck?.value,
      appHealthCheckPath: settings.appHealthCheckPath?.value,
      appHealthProbeInterval: settings.appHealthProbeInterval?.value,
      appHealthProbeTimeout: settings.appHealthProbeTimeout?.value,
      appHealthThreshold: settings.appHealthThreshold?.value,
      enableApiLogging: settings.enableApiLogging?.value,
      unixDomainSocket: socket === "" ? undefined : resolvePath(directory, socket, this.#options.env),
    });
  }

  async #paths(base: string, settings: SharedSettings | undefined): Promise<CommonPaths> {
    const folders = [...(settings?.resourcesPaths ?? []), ...listOf(settings?.resourcesPath)];
    const resources: string[] = [];
    for (const folder of folders) {
      const path = await this.#path(base, folder, "folder");
      if (path !== undefined && !resources.includes(path)) {
        resources.push(path);
      }
    }
    return {
      resources,
      config: await this.#path(base, settings?.configFilePath, "file"),
      runtimePath: await this.#path(base, settings?.runtimePath, "folder"),
    };
  }

  /** The path made absolute; undefined for one that was not written. One that is not there is a problem. */
  async #path(base: string, written: Written<string> | undefined, kind: PathKind): Promise<string | undefined> {
    if (written === undefined || written.value === "") {
      return undefined;
    }
    const path = resolvePath(base, written.value, this.#options.env);
    const fault = await pathFault(path, kind);
    if (fault !== undefined) {
      this.problems.push({ place: written.place, text: fault });
    }
    return path;
  }
}

/** Keys whose empty text says something: none of these, whatever `common` says. */
const EMPTY_COUNTS: ReadonlySet<string> = new Set<keyof SharedSettings>([
  "placementHostAddress",
  "schedulerHostAddress",
]);

/** The app's values over those of `common`; variables are merged one by one. */
function merged(app: SharedSettings, common: SharedSettings | undefined): SharedSettings {
  if (common === undefined) {
    return app;
  }
  const result: Record<string, unknown> = { ...common };
  for (const [key, value] of Object.entries(app)) {
    if (value !== undefined && (EMPTY_COUNTS.has(key) || !isUnset(value))) {
      result[key] = value;
    }
  }
  result["env"] = new Map([...(common.env ?? []), ...(app.env ?? [])]);
  return result as SharedSettings;
}

/** Go's zero values, by which the CLI knows what an app leaves to `common`. */
function isUnset(setting: unknown): boolean {
  const value = (setting as Partial<Written<unknown>>).value;
  return value === "" || value === 0;
}

function plain(env: SharedSettings["env"]): Readonly<Record<string, string>> {
  return Object.fromEntries([...(env ?? [])].map(([name, { value }]) => [name, value]));
}

function positive(port: Written<number> | undefined): number | undefined {
  return port !== undefined && port.value > 0 ? port.value : undefined;
}

function listOf<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}

function duplicateIds(file: RunFile, apps: readonly AppPlan[]): readonly RunFileProblem[] {
  return apps.flatMap(({ appId }, index) => {
    const earlier = file.apps[apps.findIndex((other) => other.appId === appId)];
    const written = file.apps[index];
    return written === undefined || earlier === undefined || earlier === written
      ? []
      : [
          {
            place: written.value.appID?.place ?? written.place,
            text: `a second app is called ${JSON.stringify(appId)} (the first is at line ${earlier.place.line}): give it another appID`,
          },
        ];
  });
}
