import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { errorMessage } from "../kit/error-message.ts";
import { readPackageApp, type PackageApp } from "./project-package.ts";
import { appIdFault } from "./run-file-check.ts";
import { findRunFile, readRunFile } from "./run-file.ts";
import { PlanError } from "./run-plan-error.ts";
import { appDefaults, daprDefaults, existing, firstPaths, pathFault } from "./run-plan-paths.ts";
import { sidecarFlagsOf } from "./run-plan-sidecar.ts";
import { APP_CHANNEL_ADDRESS, planRunFile, type PlanOptions } from "./run-plan.ts";
import type { AppPlan, RunPlan } from "./types.ts";

/** Subfolders that are looked into. */
const FOLDERS_MAX = 200;

/** Packages inside are somebody else's. */
const FOREIGN_FOLDERS: ReadonlySet<string> = new Set(["node_modules", "dist", "build", "coverage"]);

/**
 * Plans a folder: its `dapr.yaml` or `dapr.yml`; else its own package when that has a `dev` or `start` script; else every
 * direct subfolder whose package has one, by name. An app is called after its folder and started with `npm run`. Its
 * resources are in its `.dapr` folder, or in that of the whole.
 * @param directory absolute
 * @throws RunFileError for what the run file says, PlanError when there is nothing to run
 */
export async function planFolder(directory: string, options: PlanOptions): Promise<RunPlan> {
  const fault = await pathFault(directory, "folder");
  if (fault !== undefined) {
    throw new PlanError(fault);
  }
  const runFile = await findRunFile(directory);
  if (runFile !== undefined) {
    return await planRunFile(await readRunFile({ path: runFile, cwd: directory }), options);
  }
  const found = await findPackages(directory);
  if (found.length === 0) {
    throw new PlanError(
      `nothing to run in ${directory}: it has no dapr.yaml, and neither it nor a folder in it has a package.json with a ` +
        `"dev" or "start" script; write a dapr.yaml that lists the apps, or name another folder`,
    );
  }
  const apps: AppPlan[] = [];
  for (const one of found) {
    apps.push(await planPackage(one, directory, options));
  }
  checkIds(apps);
  return {
    name: basename(directory),
    runFile: undefined,
    apps,
    warnings: apps.flatMap(({ appId, appPort, directory: folder }) =>
      appPort === undefined
        ? [
            `app ${JSON.stringify(appId)} cannot be called: no port is known; where it listens, say so in ` +
              `${join(folder, "package.json")}: "outrigger": { "appPort": 3000 }`,
          ]
        : [],
    ),
  };
}

async function findPackages(directory: string): Promise<readonly PackageApp[]> {
  const own = await readPackageApp(directory);
  if (own !== undefined) {
    return [own];
  }
  const found: PackageApp[] = [];
  for (const name of await subfolders(directory)) {
    const one = await readPackageApp(join(directory, name));
    if (one !== undefined) {
      found.push(one);
    }
  }
  return found;
}

async function subfolders(directory: string): Promise<readonly string[]> {
  let entries;
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch (cause) {
    throw new PlanError(`the folder ${directory} cannot be read: ${errorMessage(cause)}`, { cause });
  }
  const names = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !FOREIGN_FOLDERS.has(entry.name))
    .map((entry) => entry.name)
    .toSorted();
  if (names.length > FOLDERS_MAX) {
    throw new PlanError(
      `${directory} has ${names.length} folders, more than are searched for apps (${FOLDERS_MAX}); list the apps in a dapr.yaml`,
    );
  }
  return names;
}

async function planPackage(app: PackageApp, root: string, options: PlanOptions): Promise<AppPlan> {
  const { env, habits, runtimePath, logAsJson } = options;
  const own = appDefaults(app.directory);
  const whole = appDefaults(root);
  const home = habits.homeDefaults ? daprDefaults(runtimePath, root, env) : undefined;
  return {
    appId: app.appId ?? idOf(app.directory),
    directory: app.directory,
    command: ["npm", "run", app.script],
    env: {},
    appPort: app.appPort,
    appProtocol: app.appProtocol,
    appChannelAddress: APP_CHANNEL_ADDRESS,
    ports: { http: 0, grpc: 0, internalGrpc: 0, metrics: 0 },
    resourcesPaths: await firstPaths(
      () => existing(own.resources, "folder"),
      () => existing(whole.resources, "folder"),
      () => existing(home?.components, "folder"),
    ),
    configPaths: await firstPaths(
      () => existing(own.config, "file"),
      () => existing(whole.config, "file"),
      () => existing(home?.config, "file"),
    ),
    sidecarFlags: sidecarFlagsOf({ logAsJson }),
    appLog: habits.appLog,
    sidecarLog: habits.sidecarLog,
    logDirectory: own.logs,
  };
}

/** The folder's name with what an app id cannot have made dashes. */
function idOf(directory: string): string {
  const id = basename(directory).replace(/[\p{Cc}\s./\\]+/gu, "-");
  return appIdFault(id) === undefined ? id : "app";
}

function checkIds(apps: readonly AppPlan[]): void {
  for (const app of apps) {
    const first = apps.find(({ appId }) => appId === app.appId);
    if (first !== undefined && first !== app) {
      throw new PlanError(
        `the apps in ${first.directory} and ${app.directory} are both called ${JSON.stringify(app.appId)}; ` +
          `name one in its package.json: "outrigger": { "appId": "…" }`,
      );
    }
  }
}
