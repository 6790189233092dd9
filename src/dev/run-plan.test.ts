import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseRunFile } from "./run-file.ts";
import { RunFileError } from "./run-plan-error.ts";
import { DEV_HABITS, planRunFile, RUN_HABITS, type PlanOptions } from "./run-plan.ts";
import type { AppPlan, RunPlan } from "./types.ts";

let root = "";
let project = "";
let home = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "outrigger-plan-"));
  [project, home] = [join(root, "project"), join(root, "home")];
  await make("project/web/", "project/backend/", "home/");
});
afterEach(() => rm(root, { recursive: true }));

/** Makes folders (names that end in a slash) and files under the root. */
async function make(...paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const absolute = join(root, path);
    await mkdir(path.endsWith("/") ? absolute : dirname(absolute), { recursive: true });
    if (!path.endsWith("/")) {
      await writeFile(absolute, "");
    }
  }
}

function plan(text: string, options: Partial<PlanOptions> = {}): Promise<RunPlan> {
  const path = join(project, "dapr.yaml");
  const file = parseRunFile(text, { path, label: "dapr.yaml", directory: project });
  return planRunFile(file, { env: { HOME: home }, habits: RUN_HABITS, ...options });
}

async function apps(text: string, options: Partial<PlanOptions> = {}): Promise<readonly AppPlan[]> {
  return (await plan(text, options)).apps;
}

async function only(text: string, options: Partial<PlanOptions> = {}): Promise<AppPlan> {
  const [app] = await apps(text, options);
  return app!;
}

async function complaints(text: string): Promise<readonly string[]> {
  try {
    await plan(text);
  } catch (error) {
    if (error instanceof RunFileError) {
      return error.message.split("\n");
    }
    throw error;
  }
  return [];
}

describe("planRunFile", () => {
  it("fills in Dapr's defaults", async () => {
    expect(await plan("version: 1\napps: [{appDirPath: ./web/}]")).toEqual({
      name: "project",
      runFile: join(project, "dapr.yaml"),
      apps: [
        {
          appId: "web",
          directory: join(project, "web"),
          command: [],
          env: {},
          appPort: undefined,
          appProtocol: "http",
          appChannelAddress: "127.0.0.1",
          ports: { http: 0, grpc: 0, internalGrpc: 0, metrics: 0 },
          resourcesPaths: [],
          configPaths: [],
          sidecarFlags: [],
          appLog: "fileAndConsole",
          sidecarLog: "file",
          logDirectory: join(project, "web", ".dapr", "logs"),
        },
      ],
      warnings: ['no command found for app "web" in dapr.yaml: only its sidecar runs'],
    });
  });

  it("takes everything that is written", async () => {
    await make("project/res/", "project/web/cfg.yaml");
    const app = await only(`version: 1
name: shop
apps:
  - appID: front
    appDirPath: web
    appPort: 8080
    daprHTTPPort: 3501
    daprGRPCPort: 50002
    daprInternalGRPCPort: 50003
    metricsPort: 9091
    profilePort: 7778
    unixDomainSocket: sockets
    appChannelAddress: localhost
    command: [node, "a b.js"]
    resourcesPaths: [../res]
    configFilePath: cfg.yaml
    appProtocol: GRPC
    appSSL: true
    apiListenAddresses: "127.0.0.1,::1"
    enableProfiling: true
    logLevel: debug
    appMaxConcurrency: 2
    placementHostAddress: place
    schedulerHostAddress: "sched:7"
    maxBodySize: 8Mi
    readBufferSize: 8Ki
    enableAppHealthCheck: true
    appHealthCheckPath: /up
    appHealthProbeInterval: 1
    appHealthProbeTimeout: 2
    appHealthThreshold: 4
    enableApiLogging: true
    env: {A: 1}
    daprdLogDestination: console
    appLogDestination: file
`);
    expect(app).toEqual({
      appId: "front",
      directory: join(project, "web"),
      command: ["node", "a b.js"],
      env: { A: "1" },
      appPort: 8080,
      appProtocol: "grpcs",
      appChannelAddress: "localhost",
      ports: { http: 3501, grpc: 50002, internalGrpc: 50003, metrics: 9091 },
      resourcesPaths: [join(project, "res")],
      configPaths: [join(project, "web", "cfg.yaml")],
      sidecarFlags: [
        "--dapr-listen-addresses=127.0.0.1,::1",
        "--enable-profiling",
        "--profile-port=7778",
        "--log-level=debug",
        "--app-max-concurrency=2",
        "--max-body-size=8Mi",
        "--read-buffer-size=8Ki",
        "--enable-app-health-check",
        "--app-health-check-path=/up",
        "--app-health-probe-interval=1",
        "--app-health-probe-timeout=2",
        "--app-health-threshold=4",
        "--enable-api-logging",
        `--unix-domain-socket=${join(project, "web", "sockets")}`,
        "--placement-host-address=place:50005",
        "--scheduler-host-address=sched:7",
      ],
      appLog: "file",
      sidecarLog: "console",
      logDirectory: join(project, "web", ".dapr", "logs"),
    });
  });

  it("lets the app win over common, one variable at a time", async () => {
    const [web, backend] = await apps(`version: 1
common:
  env: {A: common, B: common}
  logLevel: warn
  appMaxConcurrency: 5
  enableApiLogging: true
  placementHostAddress: place
  appLogDestination: console
apps:
  - appDirPath: web
    env: {B: app, C: app}
    logLevel: debug
    appMaxConcurrency: 0
    enableApiLogging: false
    placementHostAddress: ""
    appLogDestination: ""
  - appDirPath: backend
`);
    expect(web).toMatchObject({
      env: { A: "common", B: "app", C: "app" },
      sidecarFlags: ["--log-level=debug", "--app-max-concurrency=5"],
      appLog: "console",
    });
    expect(backend).toMatchObject({
      env: { A: "common", B: "common" },
      sidecarFlags: [
        "--log-level=warn",
        "--app-max-concurrency=5",
        "--enable-api-logging",
        "--placement-host-address=place:50005",
      ],
    });
  });

  it("looks for resources and Configuration in the app, its .dapr folder, common, and the home folder, in this order", async () => {
    const files = (at: string): string[] => [`${at}/components/`, `${at}/config.yaml`];
    await make(...files("home/.dapr"));
    const text = (app: string): string =>
      `version: 1\ncommon: {resourcesPath: common, configFilePath: common.yaml}\napps: [{appDirPath: web${app}}]`;
    const found = async (source: string): Promise<readonly string[]> => {
      const { resourcesPaths, configPaths } = await only(source);
      return [...resourcesPaths, ...configPaths];
    };
    expect(await found("version: 1\napps: [{appDirPath: web}]")).toEqual([
      join(home, ".dapr/components"),
      join(home, ".dapr/config.yaml"),
    ]);
    await make("project/common/", "project/common.yaml");
    expect(await found(text(""))).toEqual([join(project, "common"), join(project, "common.yaml")]);
    await make("project/web/.dapr/resources/", "project/web/.dapr/config.yaml");
    expect(await found(text(""))).toEqual([
      join(project, "web/.dapr/resources"),
      join(project, "web/.dapr/config.yaml"),
    ]);
    await make("project/web/own/", "project/web/own.yaml");
    expect(await found(text(", resourcesPaths: [own], configFilePath: own.yaml"))).toEqual([
      join(project, "web/own"),
      join(project, "web/own.yaml"),
    ]);
  });

  it("finds what dapr init has written under the runtime path: the app's, common's, the flag's, the variable's", async () => {
    await make(...["a", "b", "c", "d", "home"].map((name) => `${name}/.dapr/components/`));
    const where = async (text: string, options: Partial<PlanOptions>): Promise<string> => {
      const { resourcesPaths } = await only(text, options);
      return basename(dirname(dirname(resourcesPaths[0] ?? "")));
    };
    const [app, common] = ["runtimePath: ../../a", "runtimePath: ../b"];
    const all = { env: { HOME: home, DAPR_RUNTIME_PATH: join(root, "d") }, runtimePath: join(root, "c") };
    const text = (first: string, second: string): string =>
      `version: 1\ncommon: {${first}}\napps: [{appDirPath: web, ${second}}]`;
    expect([
      await where(text(common, app), all),
      await where(text(common, ""), all),
      await where(text("", ""), all),
      await where(text("", ""), { env: all.env }),
      await where(text("", ""), { env: { HOME: home, DAPR_RUNTIME_PATH: " " } }),
    ]).toEqual(["a", "b", "c", "d", "home"]);
  });

  it("goes without what is not in the home folder, and without a home folder", async () => {
    expect(await only("version: 1\napps: [{appDirPath: web}]", { env: {} })).toMatchObject({
      resourcesPaths: [],
      configPaths: [],
    });
  });

  it("has other habits for dev", async () => {
    await make("home/.dapr/components/", "home/.dapr/config.yaml");
    const options = { habits: DEV_HABITS, logAsJson: true };
    expect(await only("version: 1\napps: [{appDirPath: web}]", options)).toMatchObject({
      resourcesPaths: [],
      configPaths: [],
      sidecarFlags: ["--log-as-json"],
      appLog: "console",
      sidecarLog: "console",
    });
  });

  it("expands the home folder in paths, and takes absolute ones as they are", async () => {
    await make("home/res/", "elsewhere/");
    const text = `version: 1\napps: [{appDirPath: ${join(root, "elsewhere")}, resourcesPaths: [~/res, ~/res], resourcesPath: ~/res}]`;
    expect(await only(text)).toMatchObject({
      directory: join(root, "elsewhere"),
      resourcesPaths: [join(home, "res")],
    });
  });

  it("tells every path that is not there, where it is written", async () => {
    await make("project/file");
    expect(
      await complaints(`version: 1
common:
  resourcesPath: none
  configFilePath: web
apps:
  - appDirPath: nowhere
  - appDirPath: file
    appID: second
  - appDirPath: web
    runtimePath: gone
`),
    ).toEqual([
      `dapr.yaml:3:18: the folder ${join(project, "none")} does not exist`,
      `dapr.yaml:4:19: ${join(project, "web")} is a folder, not a file`,
      `dapr.yaml:6:17: the folder ${join(project, "nowhere")} does not exist`,
      `dapr.yaml:7:17: ${join(project, "file")} is no folder`,
      `dapr.yaml:10:18: the folder ${join(project, "web", "gone")} does not exist`,
    ]);
  });

  it("refuses two apps of one name, and a folder's name that is none", async () => {
    await make("project/v1.2/");
    expect(
      await complaints(
        "version: 1\napps:\n- appDirPath: web\n- appDirPath: backend\n  appID: web\n- appDirPath: v1.2\n",
      ),
    ).toEqual([
      'dapr.yaml:5:10: a second app is called "web" (the first is at line 3): give it another appID',
      `dapr.yaml:6:3: the folder's name is no app id, so appID is needed: "v1.2" cannot be an app id: dots, slashes and spaces are not allowed`,
    ]);
  });

  it("refuses a port that is given away twice", async () => {
    expect(
      await complaints(`version: 1
apps:
  - {appDirPath: web, appPort: 80, daprHTTPPort: 81, command: [a]}
  - {appDirPath: backend, appPort: 80, daprGRPCPort: 81, metricsPort: -1, command: [a]}
`),
    ).toEqual([
      'dapr.yaml:4:36: port 80 cannot be the appPort of "backend": it is the appPort of "web" at line 3',
      'dapr.yaml:4:54: port 81 cannot be the daprGRPCPort of "backend": it is the daprHTTPPort of "web" at line 3',
    ]);
  });

  it("lets several sidecars share an app that somebody else starts, and other machines their ports", async () => {
    expect(
      await complaints(`version: 1
apps:
  - {appDirPath: web, appPort: 80}
  - {appDirPath: backend, appPort: 80}
  - {appDirPath: backend, appID: far, appPort: 80, appChannelAddress: 192.0.2.1, command: [a]}
`),
    ).toEqual([]);
  });
});
