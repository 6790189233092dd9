import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PlanError } from "../dev/run-plan-error.ts";
import type { AppPlan, RunPlan } from "../dev/types.ts";
import { FlagError, usageText } from "./flag-set.ts";
import { planRunCommand, RUN_FLAGS } from "./run-flags.ts";
import { parseSidecarFlags } from "./sidecar-invocation.ts";

let cwd = "";
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), "outrigger-run-"));
});
afterEach(() => rm(cwd, { recursive: true }));

async function write(path: string, text = ""): Promise<void> {
  await mkdir(dirname(join(cwd, path)), { recursive: true });
  await writeFile(join(cwd, path), text);
}

const NO_INPUT: AsyncIterable<string> = {
  async *[Symbol.asyncIterator]() {},
};

function run(args: readonly string[], stdin: AsyncIterable<string> = NO_INPUT) {
  const random = { uuid: () => "", bytes: () => new Uint8Array(), next: () => 0 };
  return planRunCommand(args, { cwd, env: { HOME: join(cwd, "home") }, random, stdin });
}

async function outcome(
  args: readonly string[],
  stdin?: AsyncIterable<string>,
): Promise<{ readonly plan: RunPlan; readonly notices: readonly string[] }> {
  const invocation = await run(args, stdin);
  if (invocation.action !== "run") {
    throw new Error("help");
  }
  return invocation;
}

async function only(...args: readonly string[]): Promise<AppPlan> {
  const { plan } = await outcome(args);
  expect(plan.apps).toHaveLength(1);
  return plan.apps[0]!;
}

describe("outrigger run for one app", () => {
  it("has Dapr's defaults, but for placement and scheduler", async () => {
    const { plan, notices } = await outcome(["--", "node", "app.js", "--app-port", "1"]);
    expect(notices).toEqual([]);
    expect(plan).toEqual({
      name: basename(cwd),
      runFile: undefined,
      apps: [
        {
          appId: "amber-albatross",
          directory: cwd,
          command: ["node", "app.js", "--app-port", "1"],
          env: {},
          appPort: undefined,
          appProtocol: "http",
          appChannelAddress: "127.0.0.1",
          ports: { http: 0, grpc: 0, internalGrpc: 0, metrics: 0 },
          resourcesPaths: [],
          configPaths: [],
          sidecarFlags: [],
          appLog: "console",
          sidecarLog: "console",
          logDirectory: join(cwd, ".dapr", "logs"),
        },
      ],
      warnings: [],
    });
  });

  it("says when there is only a sidecar to run", async () => {
    const { plan } = await outcome(["--app-id", "x"]);
    expect(plan.apps[0]?.command).toEqual([]);
    expect(plan.warnings).toEqual(["WARNING: no application command found."]);
  });

  it("takes the letters", async () => {
    await write("res/a.yaml");
    await write("c.yaml");
    const args = [
      "-a",
      "x",
      "-p3000",
      "-P=grpc",
      "-c",
      "c.yaml",
      "-H",
      "3501",
      "-G",
      "50002",
      "-I",
      "50003",
      "-M",
      "9091",
    ];
    const { plan, notices } = await outcome([...args, "-d", "res", "python3", "app.py"]);
    expect(plan.apps[0]).toMatchObject({
      appId: "x",
      appPort: 3000,
      appProtocol: "grpc",
      configPaths: [join(cwd, "c.yaml")],
      resourcesPaths: [join(cwd, "res")],
      ports: { http: 3501, grpc: 50002, internalGrpc: 50003, metrics: 9091 },
      command: ["python3", "app.py"],
    });
    expect(notices).toEqual(["Flag --components-path has been deprecated, use --resources-path"]);
  });

  it("hands the rest on to the sidecar, which understands every flag of it", async () => {
    const { sidecarFlags, appChannelAddress, appProtocol } = await only(
      ..."--app-channel-address localhost --app-health-check-path /up --app-health-probe-interval 1".split(" "),
      ..."--app-health-probe-timeout 2 --app-health-threshold 4 --app-max-concurrency 2 --app-ssl".split(" "),
      ..."--dapr-listen-addresses ::1 --enable-api-logging --enable-app-health-check --enable-profiling".split(" "),
      ..."--log-as-json --log-level DEBUG --max-body-size 8Mi --placement-host-address place".split(" "),
      ..."--profile-port 7778 --read-buffer-size 8Ki --scheduler-host-address sched:7 -u sockets".split(" "),
    );
    expect([appChannelAddress, appProtocol]).toEqual(["localhost", "https"]);
    expect(sidecarFlags).toEqual([
      "--dapr-listen-addresses=::1",
      "--enable-profiling",
      "--profile-port=7778",
      "--log-level=DEBUG",
      "--log-as-json",
      "--app-max-concurrency=2",
      "--max-body-size=8Mi",
      "--read-buffer-size=8Ki",
      "--enable-app-health-check",
      "--app-health-check-path=/up",
      "--app-health-probe-interval=1",
      "--app-health-probe-timeout=2",
      "--app-health-threshold=4",
      "--enable-api-logging",
      `--unix-domain-socket=${join(cwd, "sockets")}`,
      "--placement-host-address=place:50005",
      "--scheduler-host-address=sched:7",
    ]);
    const understood = sidecarFlags.filter((flag) => !flag.includes("-host-address="));
    expect(parseSidecarFlags(["--app-id=x", ...understood], {})).toMatchObject({
      options: { maxBodyBytes: 8 << 20, appMaxConcurrency: 2, appHealth: { enabled: true, threshold: 4 } },
    });
  });

  it("switches placement and scheduler off with an empty address, as Dapr does", async () => {
    expect((await only("--placement-host-address=", "--scheduler-host-address=")).sidecarFlags).toEqual([]);
  });

  it("gives up the APIs' ports for sockets", async () => {
    const { ports } = await only("-u", "/sockets", "-H", "3501", "-G", "50002", "-M", "9091");
    expect(ports).toEqual({ http: 0, grpc: 0, internalGrpc: 0, metrics: 9091 });
  });

  it("takes what dapr init has written, and what is named instead", async () => {
    for (const parent of ["home", "other"]) {
      await write(`${parent}/.dapr/components/a.yaml`);
      await write(`${parent}/.dapr/config.yaml`);
    }
    await write("r1/a.yaml");
    await write("r2/a.yaml");
    expect(await only()).toMatchObject({
      resourcesPaths: [join(cwd, "home/.dapr/components")],
      configPaths: [join(cwd, "home/.dapr/config.yaml")],
    });
    expect(await only("--runtime-path", "other")).toMatchObject({
      resourcesPaths: [join(cwd, "other/.dapr/components")],
      configPaths: [join(cwd, "other/.dapr/config.yaml")],
    });
    expect(await only("--resources-path", "r1,r2", "--resources-path", "r1", "-d", "none")).toMatchObject({
      resourcesPaths: [join(cwd, "r1"), join(cwd, "r2")],
    });
  });

  it.each([
    [["-k"], "--kubernetes (-k) is not built: outrigger runs apps of a run file on this machine; "],
    [["-k", "-f", "."], "--kubernetes (-k) is not built"],
    [["--app-id", "a.b"], '--app-id: "a.b" cannot be an app id: dots, slashes and spaces are not allowed'],
    [["-P", "tcp"], '--app-protocol must be one of http, https, h2c, grpc, grpcs, not "tcp"'],
    [["--log-level", "loud"], '--log-level must be debug, info, warn, error or fatal, not "loud"'],
    [["--max-body-size", "4MB"], '--max-body-size must be a size such as 4Mi, not "4MB"'],
    [["--read-buffer-size", ""], '--read-buffer-size must be a size such as 4Mi, not ""'],
    [["-p", "65536"], "--app-port must be at most 65535, not 65536"],
    [["--resources-path", "none"], "--resources-path: the folder "],
    [["-c", "."], "--config: "],
    [["--", " "], "the command must begin with a program"],
  ])("refuses %j", async (args, complaint) => {
    await expect(run(args)).rejects.toThrow(PlanError);
    await expect(run(args)).rejects.toThrow(complaint);
  });

  it("does not know the app's flags unless -- keeps them apart, as Dapr does not", async () => {
    await expect(run(["node", "app.js", "--verbose"])).rejects.toThrow(new FlagError("unknown flag: --verbose"));
  });

  it("asks for help", async () => {
    expect(await run(["-h"])).toEqual({ action: "help" });
    expect(usageText("outrigger run", RUN_FLAGS)).toContain("\n  -p, --app-port int ");
  });
});

describe("outrigger run for a run file", () => {
  const FILE = "version: 1\nname: shop\napps:\n  - {appDirPath: web, command: [a]}\n";

  it.each([["dapr.yaml"], ["."]])("runs %s", async (path) => {
    await write("web/a.js");
    await write("dapr.yaml", FILE);
    await write("home/.dapr/components/a.yaml");
    const { plan, notices } = await outcome(["-f", path]);
    expect(notices).toEqual([]);
    expect(plan).toMatchObject({
      name: "shop",
      runFile: join(cwd, "dapr.yaml"),
      apps: [
        {
          appId: "web",
          appLog: "fileAndConsole",
          sidecarLog: "file",
          resourcesPaths: [join(cwd, "home/.dapr/components")],
        },
      ],
    });
  });

  it("runs standard input", async () => {
    await write("web/a.js");
    const stdin = (async function* () {
      yield FILE;
    })();
    const { plan } = await outcome(["-f", "-"], stdin);
    expect([plan.runFile, plan.apps[0]?.directory]).toEqual([undefined, join(cwd, "web")]);
  });

  it("says which flags mean nothing beside it, and heeds the others", async () => {
    await write("web/a.js");
    await write("dapr.yaml", FILE);
    await write("other/.dapr/components/a.yaml");
    const { plan, notices } = await outcome([
      "-f",
      ".",
      "-a",
      "x",
      "-p",
      "80",
      "--log-as-json",
      "--runtime-path",
      "other",
    ]);
    expect(notices).toEqual([
      "The following flags are ignored when using --run-file and should be configured in the run file instead: app-id, app-port",
    ]);
    expect(plan.apps[0]).toMatchObject({
      appId: "web",
      appPort: undefined,
      sidecarFlags: ["--log-as-json"],
      resourcesPaths: [join(cwd, "other/.dapr/components")],
    });
  });
});
