import { dirname, join } from "node:path";
import { createLineConsole } from "../dev/line-console.ts";
import { PlanError } from "../dev/run-plan-error.ts";
import { createRunVoice } from "../dev/run-voice.ts";
import { Session } from "../dev/session.ts";
import type { RunPlan } from "../dev/types.ts";
import type { UnitOutcome } from "../dev/app-unit-types.ts";
import { systemRandom } from "../kit/random.ts";
import { createLogSink } from "../telemetry/log/sink.ts";
import { FlagError, usageText } from "./flag-set.ts";
import type { HostProcess } from "./host-process.ts";
import { hostedSession, showsColors, stopOnSignals } from "./hosted-session.ts";
import { planRunCommand, RUN_FLAGS } from "./run-flags.ts";

const EXIT_USAGE = 2;

/** Milliseconds that an app gets to end in, and its sidecar after it, unless that is told otherwise. */
const APP_GRACE_MS = 5_000;
const SIDECAR_GRACE_MS = 5_000;

/** `outrigger run`: one app with its sidecar, or those of a run file, until they end or are ended. */
export async function runCommand(args: readonly string[], host: HostProcess): Promise<number> {
  const { cwd, env } = host;
  try {
    const invocation = await planRunCommand(args, { cwd, env, random: systemRandom, stdin: host.stdin() });
    if (invocation.action === "help") {
      host.out(usageText("outrigger run", RUN_FLAGS));
      return 0;
    }
    for (const notice of invocation.notices) {
      host.err(`${notice}\n`);
    }
    return await runPlan(invocation.plan, host);
  } catch (error) {
    return refuse(error, host);
  }
}

async function runPlan(plan: RunPlan, host: HostProcess): Promise<number> {
  const isSingle = plan.runFile === undefined && plan.apps.length === 1;
  const sink = createLogSink({ fd: 1 });
  const appIds = plan.apps.map(({ appId }) => appId);
  const console = createLineConsole({
    out: sink,
    colors: showsColors(host),
    appIds,
    style: isSingle ? "single" : "multi",
  });
  for (const warning of plan.warnings) {
    console.say("warn", undefined, warning);
  }
  const session = new Session({
    ...hostedSession(host),
    plan,
    console,
    voice: createRunVoice(console, plan),
    dataDir: undefined,
    jobsFolder: jobsFolderOf(plan, host.cwd),
    nameResolution: "mdns",
    habits: {
      keepsUp: false,
      startsInOrder: true,
      // Relative paths in the resources of a run file's app start at its folder, where its sidecar has to run for that.
      separateSidecars: !isSingle,
      watches: false,
      appGraceMs: APP_GRACE_MS,
      sidecarGraceMs: SIDECAR_GRACE_MS,
      sidecarFlags: [],
    },
  });
  const stop = stopOnSignals(session, host, () =>
    console.say("info", undefined, "\nterminated signal received: shutting down"),
  );
  const ended = session.run().then((outcomes) => (stop.isAsked || outcomes.every(isWell) ? 0 : 1));
  const exitCode = await Promise.race([ended, stop.forced]);
  await stop.flush(sink);
  return exitCode;
}

/** Of a run file beside it; of an app that runs alone in a folder of its own, since another may run from here too. */
function jobsFolderOf({ runFile, apps }: RunPlan, cwd: string): string {
  return runFile === undefined
    ? join(cwd, ".outrigger", "run", encodeURIComponent(apps[0]?.appId ?? ""))
    : join(dirname(runFile), ".outrigger", "scheduler");
}

function isWell({ app, failure }: UnitOutcome): boolean {
  return failure === undefined && (app === undefined || app.code === 0);
}

function refuse(error: unknown, host: HostProcess): number {
  if (error instanceof FlagError) {
    host.err(`${usageText("outrigger run", RUN_FLAGS)}${error.message}\n`);
    return EXIT_USAGE;
  }
  if (error instanceof PlanError) {
    host.err(`❌  ${error.message}\n`);
    return 1;
  }
  throw error;
}
