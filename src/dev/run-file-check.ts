import { InvalidQuantityError, parseQuantity } from "../kit/quantity.ts";
import { suggest } from "../kit/distance.ts";
import type { Place, YamlNode } from "../resources/yaml-node.ts";
import { parseLogLevel } from "../telemetry/log/logger.ts";
import type { AppSettings, SharedSettings, Written, WrittenRunFile } from "./run-file-shape.ts";
import { isAppProtocol, APP_PROTOCOLS } from "./run-plan-sidecar.ts";
import type { RunFileProblem } from "./run-plan-error.ts";
import type { LogDestination } from "./types.ts";

/** Apps of one run file. */
export const RUN_FILE_APPS_MAX = 100;

export const PORT_MAX = 65_535;

const LOG_DESTINATIONS: readonly LogDestination[] = ["console", "file", "fileAndConsole"];

/** The Dapr CLI refuses others although only Kubernetes looks at them. */
const PULL_POLICIES = ["Always", "Never", "IfNotPresent"];

const PORTS = [
  "appPort",
  "daprHTTPPort",
  "daprGRPCPort",
  "daprInternalGRPCPort",
  "profilePort",
  "metricsPort",
] as const satisfies readonly (keyof AppSettings)[];

/**
 * Everything that is wrong with a run file by itself, in the order of the file.
 * @param start the place of what is not there at all
 */
export function runFileProblems(file: WrittenRunFile, start: Place): readonly RunFileProblem[] {
  const check = new Check();
  if (file.version === undefined || file.version.value === 0) {
    check.add(file.version?.place ?? start, "required field 'version' not found: write version: 1");
  }
  if (file.common !== undefined) {
    check.shared(file.common);
  }
  const apps = file.apps ?? [];
  if (apps.length === 0) {
    check.add(start, "there are no apps to run: list them under apps, each with its appDirPath");
  }
  const surplus = apps[RUN_FILE_APPS_MAX];
  if (surplus !== undefined) {
    check.add(surplus.place, `there are ${apps.length} apps, more than a run file may have (${RUN_FILE_APPS_MAX})`);
    return check.problems;
  }
  for (const app of apps) {
    check.app(app);
  }
  return check.problems;
}

/** Texts that no operating system takes as a path, an argument or a variable. */
export function nulProblems(node: YamlNode): readonly RunFileProblem[] {
  switch (node.kind) {
    case "scalar":
      return node.text.includes("\0")
        ? [{ place: node.place, text: "a text of a run file must not have a NUL in it" }]
        : [];
    case "list":
      return node.items.flatMap(nulProblems);
    case "map":
      return [...node.entries].flatMap(([key, { place, value }]) => [
        ...(key.includes("\0") ? [{ place, text: "a key of a run file must not have a NUL in it" }] : []),
        ...nulProblems(value),
      ]);
  }
}

/** What is wrong with the id of an app, as daprd and files named after it see it; undefined: nothing. */
export function appIdFault(appId: string): string | undefined {
  if (appId === "") {
    return "an app id must not be empty";
  }
  return /[\p{Cc}\s./\\]/u.test(appId)
    ? `${JSON.stringify(appId)} cannot be an app id: dots, slashes and spaces are not allowed`
    : undefined;
}

class Check {
  readonly problems: RunFileProblem[] = [];

  add(place: Place, text: string): void {
    this.problems.push({ place, text });
  }

  shared(settings: SharedSettings): void {
    const protocol = settings.appProtocol;
    if (protocol !== undefined && protocol.value !== "" && !isAppProtocol(protocol.value)) {
      this.#oneOf("appProtocol", protocol, APP_PROTOCOLS);
    }
    for (const name of ["daprdLogDestination", "appLogDestination"] as const) {
      this.#oneOf(name, settings[name], LOG_DESTINATIONS);
    }
    const level = settings.logLevel;
    if (level !== undefined && level.value !== "" && parseLogLevel(level.value) === undefined) {
      this.add(level.place, `logLevel must be debug, info, warn, error or fatal, not ${JSON.stringify(level.value)}`);
    }
    for (const name of ["maxBodySize", "readBufferSize"] as const) {
      this.#quantity(name, settings[name]);
    }
    for (const [name, { place }] of settings.env ?? []) {
      if (name === "" || name.includes("=")) {
        this.add(place, `${JSON.stringify(name)} cannot be the name of a variable`);
      }
    }
  }

  app({ value: app, place }: Written<AppSettings>): void {
    this.shared(app);
    if (app.appDirPath === undefined || app.appDirPath.value === "") {
      this.add(app.appDirPath?.place ?? place, "required field 'appDirPath' not found: the app's folder");
    }
    for (const name of PORTS) {
      const port = app[name];
      if (port !== undefined && port.value > PORT_MAX) {
        this.add(port.place, `${name} must be at most ${PORT_MAX}, not ${port.value}`);
      }
    }
    const fault = app.appID === undefined || app.appID.value === "" ? undefined : appIdFault(app.appID.value);
    if (app.appID !== undefined && fault !== undefined) {
      this.add(app.appID.place, fault);
    }
    const command = app.command;
    if (command?.value[0]?.trim() === "") {
      this.add(command.place, "command must begin with a program");
    }
    this.#oneOf("containerImagePullPolicy", app.containerImagePullPolicy, PULL_POLICIES);
  }

  #oneOf(name: string, written: Written<string> | undefined, allowed: readonly string[]): void {
    if (written === undefined || written.value === "" || allowed.includes(written.value)) {
      return;
    }
    const near = suggest(written.value, allowed);
    const hint = near === undefined ? "" : `; did you mean ${near}?`;
    this.add(
      written.place,
      `${name} must be one of ${allowed.join(", ")}, not ${JSON.stringify(written.value)}${hint}`,
    );
  }

  #quantity(name: string, written: Written<string> | undefined): void {
    if (written === undefined || written.value === "") {
      return;
    }
    try {
      parseQuantity(written.value);
    } catch (error) {
      if (!(error instanceof InvalidQuantityError)) {
        throw error;
      }
      this.add(written.place, `${name} must be a size such as 4Mi, not ${JSON.stringify(written.value)}`);
    }
  }
}
