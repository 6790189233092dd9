import { statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DEFAULT_COMPONENTS } from "../dev/default-resources.ts";
import { planFolder } from "../dev/project.ts";
import { readRunFile } from "../dev/run-file.ts";
import { DEV_HABITS, planRunFile, RUN_HABITS, type PlanOptions } from "../dev/run-plan.ts";
import { PlanError } from "../dev/run-plan-error.ts";
import { readSessionFile, type SessionFile } from "../dev/session-file.ts";
import { sidecarArguments } from "../dev/sidecar-arguments.ts";
import type { AppPlan, RunPlan } from "../dev/types.ts";
import { diagnose } from "../doctor/doctor.ts";
import { type CheckResult, exitCodeOf } from "../doctor/finding.ts";
import { renderJson, renderReport } from "../doctor/report.ts";
import type { PlannedApp, RunningSidecar, SetUp } from "../doctor/set-up.ts";
import { systemWorld } from "../doctor/system-world.ts";
import { errorMessage } from "../kit/error-message.ts";
import { FlagError, parseFlags, usageText, type FlagDefinition, type ParsedFlags } from "./flag-set.ts";
import type { HostProcess } from "./host-process.ts";
import { OptionsError, parseSidecarFlags } from "./sidecar-invocation.ts";

/** The doctor could not look at all, or at the wrong words. */
const EXIT_UNUSABLE = 2;

const DOCTOR_FLAGS = [
  { name: "json", kind: "bool", default: "false", description: "Print what is found as JSON" },
  {
    name: "sidecar",
    kind: "strings",
    default: "[]",
    description: "URL of the HTTP API of a sidecar that runs; may be repeated",
  },
  {
    name: "data-dir",
    kind: "string",
    default: "",
    description:
      "Folder that outrigger dev was given as --data-dir; .outrigger beside the run file when it is not given",
  },
  {
    name: "home-defaults",
    kind: "bool",
    default: "false",
    description: "Look at the run file as outrigger run does, with the resources of the home folder",
  },
  { name: "timeout", kind: "duration", default: "15s", description: "What each check may take at most" },
] as const satisfies readonly FlagDefinition[];

type DoctorFlag = (typeof DOCTOR_FLAGS)[number];

const USAGE = `outrigger doctor [flags] [<dapr.yaml or folder>]
       outrigger doctor [flags] --sidecar <URL> …
       outrigger doctor [flags] sidecar <flags of a sidecar>`;

/** `outrigger doctor`: what is wrong with a planned or a running set-up. Exit code 0: nothing; 1: warnings; 2: errors. */
export async function doctorCommand(args: readonly string[], host: HostProcess): Promise<number> {
  const at = args.findIndex((word) => word === "sidecar" || word === "daprd");
  const [own, sidecarFlags] = at === -1 ? [args, undefined] : [args.slice(0, at), args.slice(at + 1)];
  try {
    const flags = parseFlags<DoctorFlag>(DOCTOR_FLAGS, own);
    if (flags.help) {
      host.out(usageText(USAGE, DOCTOR_FLAGS));
      return 0;
    }
    const timeoutMs = flags.milliseconds("timeout");
    if (timeoutMs <= 0) {
      throw new FlagError("--timeout must be positive");
    }
    const results = await resultsOf(flags, sidecarFlags, timeoutMs, host);
    host.out(flags.bool("json") ? renderJson(results) : renderReport(results));
    return exitCodeOf(results);
  } catch (error) {
    if (error instanceof FlagError) {
      host.err(`outrigger doctor: ${errorMessage(error)}\n`);
      return EXIT_UNUSABLE;
    }
    throw error;
  }
}

async function resultsOf(
  flags: ParsedFlags<DoctorFlag>,
  sidecarFlags: readonly string[] | undefined,
  timeoutMs: number,
  host: HostProcess,
): Promise<readonly CheckResult[]> {
  let setUp: SetUp;
  try {
    setUp = await setUpOf(flags, sidecarFlags, host);
  } catch (error) {
    if (!(error instanceof PlanError || error instanceof OptionsError)) {
      throw error;
    }
    return [unplannable(errorMessage(error))];
  }
  return await diagnose(setUp, systemWorld(host.env), timeoutMs);
}

/** What keeps everything from starting keeps the doctor from looking further. */
function unplannable(what: string): CheckResult {
  const name = "set-up";
  const why = "nothing starts with it, and nothing more can be looked at";
  const finding = { check: name, severity: "error", what, why, fix: "correct what the text names" } as const;
  return { name, subject: "the run file or the flags", isSkipped: false, findings: [finding] };
}

async function setUpOf(
  flags: ParsedFlags<DoctorFlag>,
  sidecarFlags: readonly string[] | undefined,
  host: HostProcess,
): Promise<SetUp> {
  const sidecars = flags.list("sidecar").map((url) => runningAt(url, host));
  const alone = {
    sidecars,
    isWhole: false,
    isUp: false,
    givenComponents: [],
    bringsControlPlane: false,
    directory: host.cwd,
  };
  if (sidecarFlags !== undefined) {
    return { ...alone, apps: [plannedBy(sidecarFlags, host)] };
  }
  if (flags.words.length > 1) {
    throw new FlagError(`it takes one run file or folder, not ${flags.words.length}: ${flags.words.join(" ")}`);
  }
  if (sidecars.length > 0 && flags.words.length === 0) {
    return { ...alone, apps: [] };
  }
  return await projectSetUp(flags, sidecars, host);
}

async function projectSetUp(
  flags: ParsedFlags<DoctorFlag>,
  sidecars: readonly RunningSidecar[],
  host: HostProcess,
): Promise<SetUp> {
  const isRun = flags.bool("home-defaults");
  const { plan, directory } = await readPlan(flags.words[0] ?? ".", isRun, host);
  const session = readSessionFile(resolve(host.cwd, flags.text("data-dir") || join(directory, ".outrigger")));
  const running = session === undefined ? [] : sidecarsOf(session, host);
  return {
    apps: plan.apps.map((app) => plannedApp(app, host)),
    sidecars: [...running, ...sidecars],
    isWhole: true,
    isUp: running.length > 0,
    givenComponents: isRun ? [] : DEFAULT_COMPONENTS,
    bringsControlPlane: true,
    directory: host.cwd,
  };
}

async function readPlan(
  target: string,
  isRun: boolean,
  host: HostProcess,
): Promise<{ readonly plan: RunPlan; readonly directory: string }> {
  const options: PlanOptions = { env: host.env, habits: isRun ? RUN_HABITS : DEV_HABITS };
  const path = resolve(host.cwd, target);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    return { plan: await planFolder(path, options), directory: path };
  }
  const file = await readRunFile({ path: target, cwd: host.cwd, stdin: host.stdin() });
  return { plan: await planRunFile(file, options), directory: dirname(path) };
}

function plannedApp(plan: AppPlan, host: HostProcess): PlannedApp {
  const environment = { ...host.env, ...plan.env };
  return optionsOf(sidecarArguments(plan, plan.ports, []), environment, plan.directory);
}

function plannedBy(args: readonly string[], host: HostProcess): PlannedApp {
  const app = optionsOf(args, host.env, host.cwd);
  const absolute = (paths: readonly string[]): string[] => paths.map((path) => resolve(host.cwd, path));
  const { resourcesPaths, configPaths } = app.options;
  return {
    ...app,
    options: { ...app.options, resourcesPaths: absolute(resourcesPaths), configPaths: absolute(configPaths) },
  };
}

function optionsOf(args: readonly string[], environment: HostProcess["env"], directory: string): PlannedApp {
  const invocation = parseSidecarFlags(args, environment);
  if (invocation.action !== "run") {
    throw new FlagError("the flags of the sidecar start none");
  }
  return { appId: invocation.options.appId, options: invocation.options, directory, environment };
}

function runningAt(url: string, { env }: HostProcess): RunningSidecar {
  const { hostname, port, protocol } = parsedUrl(url);
  if (protocol !== "http:") {
    throw new FlagError(`--sidecar takes a URL such as http://127.0.0.1:3500, not ${url}`);
  }
  return {
    name: `${hostname}:${port || 80}`,
    address: {
      host: hostname.replace(/^\[|\]$/g, ""),
      port: Number(port || 80),
      socketPath: undefined,
      apiToken: env["DAPR_API_TOKEN"] ?? "",
    },
  };
}

function parsedUrl(url: string): URL {
  if (!URL.canParse(url)) {
    throw new FlagError(`--sidecar takes a URL such as http://127.0.0.1:3500, not ${url}`);
  }
  return new URL(url);
}

/** Of a session that has gone without a word, all that is left is the file. */
function sidecarsOf({ pid, apps }: SessionFile, { env }: HostProcess): readonly RunningSidecar[] {
  if (!isAlive(pid)) {
    return [];
  }
  return apps.flatMap(({ appId, httpPort }) =>
    httpPort === undefined
      ? []
      : [
          {
            name: appId,
            address: {
              host: "127.0.0.1",
              port: httpPort,
              socketPath: undefined,
              apiToken: env["DAPR_API_TOKEN"] ?? "",
            },
          },
        ],
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
