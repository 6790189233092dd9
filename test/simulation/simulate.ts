import { actorKey } from "../../src/app/actor-host.ts";
import { Cluster } from "./cluster.ts";
import { ACTORS, CountingClient } from "./counting.ts";
import { Violation } from "./ledger.ts";
import type { Plant } from "./plants.ts";
import { SchedulingClient } from "./scheduling-client.ts";
import { Troubles } from "./troubles.ts";

/** The life of a simulated cluster, in milliseconds: trouble begins, and ends; all has recovered; all has to be over. */
const TROUBLE_FROM_MS = 3_000;
const PEACE_MS = 28_000;
const RECOVERED_MS = PEACE_MS + 15_000;
const QUIET_MS = RECOVERED_MS + 6_000;
/** Milliseconds that a last look at some actors may take, and the end of all processes. */
const PROBES_MS = 4_000;
const STOP_MS = 12_000;

const NAMES = 14;
/** Milliseconds after which a trigger counts as late once all has recovered. */
const LATE_MS = 4_000;
const TAIL_LINES = 60;

export interface SimulationOptions {
  readonly seed: number;
  readonly plant?: Plant | undefined;
  /** Log lines of all processes become part of the trace. */
  readonly logs?: boolean;
}

/** What became of one seed. */
export interface Outcome {
  readonly seed: number;
  /** Of the whole trace: the same seed gives the same. */
  readonly hash: string;
  readonly happened: number;
  readonly troubles: number;
  readonly stats: Cluster["ledger"]["stats"];
  /** Undefined: nothing that must not happen has happened. */
  readonly violation: string | undefined;
  readonly tail: readonly string[];
}

/** Runs a cluster through trouble and back. */
export async function simulate({ seed, plant, logs = false }: SimulationOptions): Promise<Outcome> {
  const cluster = new Cluster(seed, plant, logs);
  const troubles = new Troubles(cluster, seed);
  let violation: string | undefined;
  try {
    await live(cluster, troubles, seed);
  } catch (error) {
    if (!(error instanceof Violation)) {
      throw error;
    }
    violation = error.message;
  } finally {
    await cluster.scheduler.removeDisk();
  }
  const { trace, happened } = cluster.world;
  return {
    seed,
    hash: trace.hash(),
    happened,
    troubles: troubles.count,
    stats: cluster.ledger.stats,
    violation,
    tail: trace.tail(TAIL_LINES),
  };
}

async function live(cluster: Cluster, troubles: Troubles, seed: number): Promise<void> {
  const { world } = cluster;
  const counting = ["c0", "c1", "c2"].map((name) => new CountingClient(name, seed, cluster));
  const scheduling = new SchedulingClient("c3", seed, cluster);
  await cluster.start();
  for (const client of counting) {
    client.start();
  }
  for (let name = 0; name < NAMES; name += 1) {
    world.after(cluster.random.between(500, PEACE_MS), "schedules", () => void scheduling.tend(PEACE_MS));
  }
  troubles.plan(TROUBLE_FROM_MS, PEACE_MS - 2_000);
  await cluster.pass(PEACE_MS);

  troubles.end();
  cluster.isPeace = true;
  await cluster.pass(RECOVERED_MS);
  for (const client of counting) {
    client.stop();
  }
  await recovered(cluster, counting[0] as CountingClient, scheduling);
  const stops = finished(() => stop(cluster));
  await cluster.pass(world.nowMs + STOP_MS);
  over(cluster, stops, "the end of all processes");
}

/** What must be true when everything has had time to recover. */
async function recovered(cluster: Cluster, client: CountingClient, scheduling: SchedulingClient): Promise<void> {
  const { world, ledger, busyUntilMs, scheduler } = cluster;
  const busy = new Set([...busyUntilMs].flatMap(([actor, untilMs]) => (untilMs > world.nowMs ? [actor] : [])));
  ledger.checkTriggers(scheduler.machine.wallMs() - LATE_MS, busy);
  const probes = finished(() => client.probe(ACTORS.filter((actor) => !busy.has(actorKey(actor)))));
  const deletions = finished(() => scheduling.finish());
  await cluster.pass(QUIET_MS);
  over(cluster, probes, "looking at all actors");
  over(cluster, deletions, "deleting what is left");

  await cluster.pass(Math.max(...busyUntilMs.values()));
  const last = finished(() => client.probe(ACTORS.filter((actor) => busy.has(actorKey(actor)))));
  await cluster.pass(world.nowMs + PROBES_MS);
  over(cluster, last, "looking at the last actors");
  ledger.checkTriggers(scheduler.machine.wallMs() - LATE_MS, new Set());
  ledger.checkCounters();
  cluster.check();
}

interface Task {
  isOver: boolean;
  failure: unknown;
}

function finished(work: () => Promise<void>): Task {
  const task: Task = { isOver: false, failure: undefined };
  void work().then(
    () => (task.isOver = true),
    (error: unknown) => (task.failure = error),
  );
  return task;
}

function over(cluster: Cluster, { isOver, failure }: Task, what: string): void {
  if (failure !== undefined) {
    cluster.broken(`${what} failed`, failure);
  } else if (!isOver) {
    cluster.ledger.violate(`${what} did not come to an end`);
  }
  cluster.check();
}

/** Ends everything in peace, and looks at what is left. */
async function stop(cluster: Cluster): Promise<void> {
  const { ledger } = cluster;
  await Promise.all(cluster.hosts.map((host) => host.stop()));

  const keys = await cluster.scheduler.stop();
  if (keys.length > 0) {
    ledger.violate(`the scheduler still has ${keys.join(", ")}`);
  }
  const lead = cluster.leader;
  for (const member of cluster.placement) {
    const hosts = await member.stop();
    if (member === lead && hosts.length > 0) {
      ledger.violate(`placement still has ${hosts.join(", ")}`);
    }
  }
  await cluster.store.stop();
}
