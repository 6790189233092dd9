import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { RingHash, VirtualNodeCache } from "../../src/kit/ring-hash.ts";
import { seededRandom } from "../../src/kit/seeded-random.fixture.ts";
import { type PlacementProgram, startPlacementProgram } from "../harness/placement-program.ts";
import { startRedisServer } from "../harness/redis-server.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { CounterClients } from "./counter-clients.ts";
import { CounterHost, type HostPlan } from "./counter-host.ts";
import { type Fault, judge, percentiles, type Percentiles, type Verdict } from "./history.ts";

/** The metric of calls that waited for a change of who hosts what, and the label of those that need not have. */
const WAITED_METRIC = "outrigger_actor_membership_waits_total";
const MOVED_LABEL = 'moved="true"';
const UNMOVED_LABEL = 'moved="false"';

/** Longer than the lease of a host. */
const FREEZE_MS_MIN = 5_000;
const FREEZE_MS_SPREAD = 5_000;
/** A killed host is started again after at most this long. */
const ABSENCE_MS_MAX = 4_000;
const FAULTS_AT_ONCE_MAX = 3;
/** More hosts than are away at once. */
const RANKS = 8;
/** The placement service's own default. */
const REPLICATION_FACTOR = 100;
const KINDS: readonly Fault["kind"][] = ["kill", "kill sidecar", "freeze both", "freeze sidecar", "restart"];

export interface ChaosPlan {
  readonly hosts: number;
  readonly actors: number;
  /** Calls to one actor follow each other this long after the one before began. */
  readonly paceMs: number;
  /** Without faults, before them. */
  readonly quietMs: number;
  readonly faultsMs: number;
  /** Between the beginnings of two faults, at most. */
  readonly faultEveryMs: number;
  readonly seed: number;
  /** The single executable; undefined: this repository's sources. */
  readonly program?: string | undefined;
  readonly print: (line: string) => void;
}

interface PlacementPage {
  readonly tables: Readonly<Record<string, { readonly hosts: readonly { readonly name: string }[] }>>;
}

export interface ChaosReport {
  readonly verdict: Verdict;
  readonly faults: readonly Fault[];
  /** Without faults. */
  readonly quiet: Percentiles;
  /** Calls that waited because their actor moved, as far as somebody was left to tell. */
  readonly waits: number;
  /** Calls of actors that did not move, and waited for a change of membership all the same. */
  readonly needlessWaits: number;
  /** Counters whose state could not be read in the end. */
  readonly unreadable: readonly string[];
}

/**
 * Counters as actors on real hosts, of which one after the other is killed, with its app or without, stopped by SIGSTOP for
 * longer than its lease, or restarted, while clients count; then what has been counted is compared with what the clients
 * were told.
 */
export async function runChaos(plan: ChaosPlan): Promise<ChaosReport> {
  const { print } = plan;
  await using folder = await temporaryFolder();
  await using redis = await startRedisServer();
  await using placement = await startPlacementProgram(["--log-level=warn"]);
  const metadata = { redisHost: redis.address, redisPassword: "", actorStateStore: "true" };
  await folder.write("store.yaml", component("store", "state.redis", metadata));
  const common = { folder: folder.path, placementAddress: placement.address, program: plan.program };
  await using cluster = new Cluster();
  const doors = [
    await cluster.add({ ...common, name: "door-1", hasApp: false }),
    await cluster.add({ ...common, name: "door-2", hasApp: false }),
  ];
  for (let index = 0; index < plan.hosts; index += 1) {
    await cluster.add({ ...common, name: `host-${index}`, hasApp: true });
  }
  print(`${plan.hosts} hosts are up; their logs are in ${join(folder.path, "host-*.log")}`);
  const clients = new CounterClients(plan, doors);
  await clients.warmUp();
  const quietFrom = clients.calls.length;
  await pause(plan.quietMs);
  const quiet = clients.calls.slice(quietFrom);
  print(`quiet: ${quiet.length} calls`);
  const faults = await inflict(plan, cluster);
  await pause(plan.paceMs * 4);
  await clients.stop();
  const { counted, unreadable } = await clients.counted();
  const all = [...cluster.hosts, ...doors];
  const sumOf = async (label: string): Promise<number> => {
    const values = await Promise.all(all.map((host) => host.metric(WAITED_METRIC, label)));
    return values.reduce((sum, value) => sum + value, 0);
  };
  return {
    verdict: judge(clients.calls, faults, counted, await rankings(plan.actors, cluster.hosts, placement)),
    faults,
    quiet: percentiles(quiet.filter(({ host }) => host !== undefined).map(({ startMs, endMs }) => endMs - startMs)),
    waits: await sumOf(MOVED_LABEL),
    needlessWaits: cluster.needlessWaits + (await sumOf(UNMOVED_LABEL)),
    unreadable,
  };
}

/** The hosts of each actor in the order in which they own it when those before are away, from the ring itself. */
async function rankings(
  actors: number,
  hosts: readonly CounterHost[],
  placement: PlacementProgram,
): Promise<readonly (readonly string[])[]> {
  const page = (await (await placement.get("/placement/state")).json()) as PlacementPage;
  const names = new Map(
    page.tables["default"]?.hosts.map(({ name }) => [
      name,
      hosts.find(({ peerPort }) => name.endsWith(`:${peerPort}`))?.name ?? "",
    ]),
  );
  const nodes = new VirtualNodeCache();
  return Array.from({ length: actors }, (_, actor) => {
    const left = [...names.keys()].toSorted();
    const ranking: string[] = [];
    while (ranking.length < RANKS && left.length > 0) {
      const owner = new RingHash(left, REPLICATION_FACTOR, nodes).ownerOf(String(actor)) ?? "";
      left.splice(left.indexOf(owner), 1);
      ranking.push(names.get(owner) ?? "");
    }
    return ranking;
  });
}

/** All processes of a run; disposing of it ends them. */
class Cluster implements AsyncDisposable {
  readonly hosts: CounterHost[] = [];
  /** Of processes that are no more. */
  needlessWaits = 0;
  readonly #all: CounterHost[] = [];

  async add(plan: HostPlan): Promise<CounterHost> {
    const host = await CounterHost.start(plan);
    this.#all.push(host);
    if (plan.hasApp) {
      this.hosts.push(host);
    }
    return host;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#all.map(async (host) => {
        host.thaw();
        await host.kill();
      }),
    );
  }
}

async function inflict(plan: ChaosPlan, cluster: Cluster): Promise<Fault[]> {
  const random = seededRandom(plan.seed);
  const faults: Fault[] = [];
  const running = new Map<string, Promise<void>>();
  const endMs = performance.now() + plan.faultsMs;
  for (let number = 0; performance.now() < endMs; number += 1) {
    const free = cluster.hosts.filter(({ name }) => !running.has(name));
    const host = free[Math.floor(random() * free.length)];
    const kind = KINDS[number % KINDS.length] ?? "kill";
    const lengthMs = random();
    if (host !== undefined && running.size < FAULTS_AT_ONCE_MAX) {
      cluster.needlessWaits += kind.startsWith("freeze") ? 0 : await host.metric(WAITED_METRIC, UNMOVED_LABEL);
      const fault: Fault = { host: host.name, kind, startMs: performance.now(), endMs: Number.POSITIVE_INFINITY };
      faults.push(fault);
      plan.print(`${(fault.startMs / 1000).toFixed(1)} s: ${kind} ${host.name}`);
      const work = suffer(host, kind, lengthMs).finally(() => {
        fault.endMs = performance.now();
        running.delete(host.name);
      });
      running.set(host.name, work);
    }
    await Promise.race([pause(plan.faultEveryMs * (0.5 + random() / 2)), failureOf(running.values())]);
  }
  await Promise.all(running.values());
  return faults;
}

/** @param share of what a fault of its kind lasts, from 0 to 1 */
async function suffer(host: CounterHost, kind: Fault["kind"], share: number): Promise<void> {
  if (kind === "kill") {
    await host.kill();
    await pause(share * ABSENCE_MS_MAX);
    await host.start();
  } else if (kind === "kill sidecar") {
    await host.killSidecar();
    await pause(share * ABSENCE_MS_MAX);
    await host.startSidecar();
  } else if (kind === "restart") {
    await host.stop();
    await host.start();
  } else {
    host.freeze(kind === "freeze both" ? "both" : "sidecar");
    await pause(FREEZE_MS_MIN + share * FREEZE_MS_SPREAD);
    host.thaw();
  }
}

/** Rejects with the first of them that does, and never resolves. */
function failureOf(works: Iterable<Promise<void>>): Promise<never> {
  return new Promise((_, reject) => {
    for (const work of works) {
      work.catch(reject);
    }
  });
}
