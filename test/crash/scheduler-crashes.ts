import { setTimeout as pause } from "node:timers/promises";
import { type JobWatcher, type SchedulerPorts, SchedulerProgram } from "../harness/scheduler-program.ts";
import { until } from "../harness/until.ts";
import { seededRandom } from "../../src/kit/seeded-random.fixture.ts";

/** A run is the same kills at the same moments when its seed is. */
export interface SchedulerCrashPlan {
  readonly folder: string;
  readonly ports: SchedulerPorts;
  readonly kills: number;
  readonly seed: number;
}

export interface SchedulerCrashReport {
  /** Jobs that the scheduler said it has. */
  readonly accepted: number;
  readonly triggers: number;
  /** Accepted and never triggered. */
  readonly missing: readonly string[];
  /** Triggered before they were due. */
  readonly early: readonly string[];
  /** Triggers beyond one for each job. */
  readonly repeated: number;
}

const WRITERS = 8;
/** A kill comes this long after the load began, at random. */
const KILL_MS_MIN = 200;
const KILL_MS_MAX = 900;
/** So many are accepted before each kill, however slow the machine is. */
const ACCEPTED_MIN = 60;
/** For them, and at the end for all. */
const PATIENCE_MS = 60_000;
/** Jobs are due at most this long after they are accepted. */
const DUE_MS_MAX = 1_500;

/** What was accepted, with when it is due. */
type Accepted = Map<string, number>;

/** Kills a scheduler that is given jobs and triggers them, again and again, and counts what its sidecar was sent. */
export async function crashScheduler({
  folder,
  ports,
  kills,
  seed,
}: SchedulerCrashPlan): Promise<SchedulerCrashReport> {
  const random = seededRandom(seed);
  const accepted: Accepted = new Map();
  const watchers: JobWatcher[] = [];
  for (let kill = 0; kill < kills; kill += 1) {
    await using scheduler = await new SchedulerProgram(folder, ports, ["--log-level=error"]).ready();
    watchers.push(scheduler.watch());
    const stop = { now: false };
    const load = Array.from({ length: WRITERS }, (_, writer) =>
      write(scheduler, `${kill}-${writer}`, random, accepted, stop),
    );
    const enough = accepted.size + ACCEPTED_MIN;
    await pause(KILL_MS_MIN + random() * (KILL_MS_MAX - KILL_MS_MIN));
    await until("enough jobs are accepted", () => accepted.size >= enough, PATIENCE_MS);
    await scheduler.program.signal("SIGKILL");
    stop.now = true;
    await Promise.all(load);
  }
  await using last = await new SchedulerProgram(folder, ports, ["--log-level=error"]).ready();
  watchers.push(last.watch());
  const seen = (): Set<string> => new Set(watchers.flatMap(({ names }) => names));
  const missing = (): string[] => [...accepted.keys()].filter((name) => !seen().has(name));
  await until("every accepted job has come", () => missing().length === 0, PATIENCE_MS).catch(() => undefined);
  const triggers = watchers.flatMap((watcher) => watcher.triggers);
  return {
    accepted: accepted.size,
    triggers: triggers.length,
    missing: missing(),
    early: triggers.filter(({ name, atMs }) => atMs < (accepted.get(name) ?? 0)).map(({ name }) => name),
    repeated: triggers.length - seen().size,
  };
}

/** One job after the other until the scheduler is gone. */
async function write(
  scheduler: SchedulerProgram,
  prefix: string,
  random: () => number,
  accepted: Accepted,
  stop: { readonly now: boolean },
): Promise<void> {
  for (let job = 0; !stop.now; job += 1) {
    const name = `${prefix}-${job}`;
    const dueMs = Date.now() + Math.floor(random() * DUE_MS_MAX);
    try {
      await scheduler.schedule(name, { dueTime: new Date(dueMs).toISOString() });
    } catch {
      return;
    }
    accepted.set(name, dueMs);
  }
}
