import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { writeDefaultResources } from "../dev/default-resources.ts";
import { createDevVoice } from "../dev/dev-voice.ts";
import { createLineConsole } from "../dev/line-console.ts";
import { writeNameRegistry } from "../dev/name-registry.ts";
import { planFolder } from "../dev/project.ts";
import { readRunFile } from "../dev/run-file.ts";
import { DEV_HABITS, planRunFile, type PlanOptions } from "../dev/run-plan.ts";
import { PlanError } from "../dev/run-plan-error.ts";
import { Session } from "../dev/session.ts";
import { summaryOf } from "../dev/summary.ts";
import type { RunPlan } from "../dev/types.ts";
import { errorMessage } from "../kit/error-message.ts";
import { parseLogLevel } from "../telemetry/log/logger.ts";
import { createLogSink } from "../telemetry/log/sink.ts";
import { FlagError, parseFlags, usageText, type FlagDefinition, type ParsedFlags } from "./flag-set.ts";
import type { HostProcess } from "./host-process.ts";
import { hostedSession, showsColors, stopOnSignals } from "./hosted-session.ts";

const EXIT_USAGE = 2;

const DEV_FLAGS = [
  {
    name: "run-file",
    shorthand: "f",
    kind: "string",
    default: "",
    description: "A dapr.yaml, or a folder with one or with apps; the working directory when it is not given",
  },
  {
    name: "data-dir",
    kind: "string",
    default: "",
    description: "Folder of the default components' databases; .outrigger beside the run file when it is not given",
  },
  {
    name: "separate-sidecars",
    kind: "bool",
    default: "false",
    description: "Give every sidecar a process of its own",
  },
  {
    name: "no-watch",
    kind: "bool",
    default: "false",
    description: "Start nothing again when a source, a resource or a Configuration changes",
  },
  {
    name: "log-level",
    kind: "string",
    default: "error",
    description: "Least level of the sidecars' lines: debug, info, warn, error or fatal",
  },
  { name: "runtime-path", kind: "string", default: "", description: "Folder that holds .dapr", hidden: true },
] as const satisfies readonly FlagDefinition[];

type DevFlag = (typeof DEV_FLAGS)[number];

/** One Ctrl-C ends all within a second: what apps, and after them sidecars, get of it in milliseconds. */
const APP_GRACE_MS = 400;
const SIDECAR_GRACE_MS = 200;

const LOOPBACK_FLAGS = [
  "--dapr-listen-addresses=127.0.0.1",
  "--dapr-internal-grpc-listen-address=127.0.0.1",
  "--metrics-listen-address=127.0.0.1",
];

/** `outrigger dev`: all apps of a run file or a folder with their sidecars, kept up until Ctrl-C. */
export async function devCommand(args: readonly string[], host: HostProcess): Promise<number> {
  try {
    const flags = parseFlags<DevFlag>(DEV_FLAGS, args);
    if (flags.help) {
      host.out(usageText("outrigger dev", DEV_FLAGS));
      return 0;
    }
    checkFlags(flags);
    const { plan, directory } = await readPlan(flags, host);
    const dataDir = resolve(host.cwd, flags.text("data-dir") || join(directory, ".outrigger"));
    return await runDev(await equipped(plan, dataDir, flags.bool("separate-sidecars")), dataDir, flags, host);
  } catch (error) {
    return refuse(error, host);
  }
}

function checkFlags(flags: ParsedFlags<DevFlag>): void {
  const level = flags.text("log-level");
  if (parseLogLevel(level) === undefined) {
    throw new FlagError(`invalid value for --log-level: ${level}`);
  }
  if (flags.words.length > 1) {
    throw new FlagError(
      `outrigger dev takes one run file or folder, not ${flags.words.length}: ${flags.words.join(" ")}`,
    );
  }
}

async function runDev(plan: RunPlan, dataDir: string, flags: ParsedFlags<DevFlag>, host: HostProcess): Promise<number> {
  const sink = createLogSink({ fd: 1 });
  const appIds = plan.apps.map(({ appId }) => appId);
  const console = createLineConsole({ out: sink, colors: showsColors(host), appIds, style: "dev" });
  for (const warning of plan.warnings) {
    console.say("warn", undefined, warning);
  }
  const session = new Session({
    ...hostedSession(host),
    plan,
    console,
    voice: createDevVoice(console, plan),
    dataDir,
    jobsFolder: join(dataDir, "scheduler"),
    nameResolution: "outrigger.local",
    habits: {
      keepsUp: true,
      startsInOrder: false,
      separateSidecars: flags.bool("separate-sidecars"),
      watches: !flags.bool("no-watch"),
      appGraceMs: APP_GRACE_MS,
      sidecarGraceMs: SIDECAR_GRACE_MS,
      sidecarFlags: [...LOOPBACK_FLAGS, `--log-level=${flags.text("log-level")}`],
    },
  });
  console.say("info", undefined, `starting ${appIds.join(", ")}`);
  const stop = stopOnSignals(session, host, () => console.say("info", undefined, "stopping"));
  void session.settled.then(() => {
    if (!stop.isAsked) {
      console.say("info", undefined, `${summaryOf(session.units)}\nData in ${dataDir}. Ctrl-C ends all.`);
    }
  });
  const exitCode = await Promise.race([session.run().then(() => 0), stop.forced]);
  await stop.flush(sink);
  return exitCode;
}

/** The plan and the folder it belongs to. */
async function readPlan(
  flags: ParsedFlags<DevFlag>,
  host: HostProcess,
): Promise<{ readonly plan: RunPlan; readonly directory: string }> {
  const { cwd, env } = host;
  const target = flags.text("run-file") || flags.words[0] || ".";
  const runtimePath = flags.text("runtime-path");
  const options: PlanOptions = {
    env,
    habits: DEV_HABITS,
    ...(runtimePath === "" ? {} : { runtimePath: resolve(cwd, runtimePath) }),
  };
  const path = resolve(cwd, target);
  if (target !== "-" && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    return { plan: await planFolder(path, options), directory: path };
  }
  const file = await readRunFile({ path: target, cwd, stdin: host.stdin() });
  return {
    plan: await planRunFile(file, options),
    directory: file.path === undefined ? cwd : dirname(file.path),
  };
}

/** The plan with the components and the registry that dev mode brings. */
async function equipped(plan: RunPlan, dataDir: string, isSeparate: boolean): Promise<RunPlan> {
  try {
    mkdirSync(dataDir, { recursive: true });
  } catch (error) {
    throw new PlanError(`the data folder cannot be made: ${errorMessage(error)}; --data-dir chooses another`, {
      cause: error,
    });
  }
  // What is in here is for this machine; a file that is there already says what its owner wants.
  try {
    writeFileSync(join(dataDir, ".gitignore"), "*\n", { flag: "wx" });
  } catch {
    // As it should be.
  }
  const resources = await writeDefaultResources({ dataDir, plan });
  const registry = isSeparate ? [writeNameRegistry(dataDir)] : [];
  return {
    ...plan,
    apps: plan.apps.map((app) => ({
      ...app,
      // First: see writeDefaultResources.
      resourcesPaths: [resources, ...app.resourcesPaths],
      configPaths: [...registry, ...app.configPaths],
    })),
  };
}

function refuse(error: unknown, host: HostProcess): number {
  if (error instanceof FlagError) {
    host.err(`${usageText("outrigger dev", DEV_FLAGS)}${error.message}\n`);
    return EXIT_USAGE;
  }
  if (error instanceof PlanError) {
    host.err(`outrigger dev: ${error.message}\n`);
    return 1;
  }
  throw error;
}
