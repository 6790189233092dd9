import { JobRequests } from "../../src/control-plane/scheduler/job-requests.ts";
import { ScheduleCache } from "../../src/control-plane/scheduler/jobs/schedule-cache.ts";
import { HostList } from "../../src/control-plane/scheduler/members/host-list.ts";
import { createSchedulerServer } from "../../src/control-plane/scheduler/scheduler-service.ts";
import { type PoolEvents, StreamPool } from "../../src/control-plane/scheduler/sidecars/stream-pool.ts";
import { stoppedError } from "../../src/control-plane/scheduler/sidecars/watch-jobs.ts";
import { prefixRange } from "../../src/control-plane/scheduler/store/keys.ts";
import { SqliteKeyStore } from "../../src/control-plane/scheduler/store/sqlite-key-store.ts";
import type { JobEntry } from "../../src/control-plane/scheduler/triggers/job-entry.ts";
import { TriggerEngine } from "../../src/control-plane/scheduler/triggers/trigger-engine.ts";
import { Cancellation } from "../../src/kit/cancel-signal.ts";
import type { Clock } from "../../src/kit/clock.ts";
import { MetricRegistry } from "../../src/telemetry/metrics/registry.ts";
import { SchedulerMetrics } from "../../src/telemetry/metrics/scheduler-metrics.ts";
import { versionOf } from "./app.ts";
import type { Cluster } from "./cluster.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import type { Machine, SimulatedProcess } from "./simulated-process.ts";
import { SimulatedTransport } from "./simulated-transport.ts";

export const SCHEDULER_ADDRESS = "scheduler:50006";

const SPACE_BYTES_MAX = 2 ** 30;
const KEEPALIVE = { keepaliveMs: 3_000, keepaliveTimeoutMs: 5_000 } as const;
/** How far the clock of the planted bug is ahead. */
const AHEAD_MS = 300;

interface Life {
  readonly process: SimulatedProcess;
  readonly transport: SimulatedTransport;
  readonly store: SqliteKeyStore;
  readonly engine: TriggerEngine;
  readonly pool: StreamPool;
  readonly stopping: Cancellation;
  readonly stopListening: () => Promise<void>;
}

/** The scheduler on its disk: the real trigger engine, pool and store. */
export class SchedulerNode {
  readonly machine: Machine;
  readonly #cluster: Cluster;
  readonly #disk: SimulatedDisk;
  #life: Life | undefined;

  constructor(machine: Machine, cluster: Cluster) {
    this.machine = machine;
    this.#cluster = cluster;
    this.#disk = new SimulatedDisk(cluster.world, machine.random, {
      forgetsAcknowledged: cluster.plant === "lost commit",
    });
  }

  start(): void {
    void this.#start().catch((error: unknown) => this.#cluster.broken("the scheduler does not start", error));
  }

  kill(): void {
    if (this.#life?.process.isAlive === true) {
      this.#life.process.kill();
      this.#disk.crash();
    }
  }

  /** Ends it as SIGTERM does. @returns keys that are left */
  async stop(): Promise<readonly string[]> {
    const life = this.#life;
    if (life === undefined) {
      return [];
    }
    const left = await life.store.list(prefixRange(""), { limit: 1_000, keysOnly: true });
    life.engine.stop();
    life.stopping.abort(stoppedError());
    life.pool.disconnectAll(stoppedError());
    await life.stopListening();
    await life.store.close();
    this.#cluster.ended(life.process, life.transport);
    life.process.kill();
    return left.map(({ key }) => key);
  }

  async removeDisk(): Promise<void> {
    await this.#disk.remove();
  }

  async #start(): Promise<void> {
    const { world, network, ports, plant } = this.#cluster;
    const process = this.machine.start();
    const { clock, random } = process;
    const logger = this.#cluster.loggerOf(process);
    const transport = new SimulatedTransport(world, network, ports, process);
    const store = new SqliteKeyStore(this.#disk.open(process), SPACE_BYTES_MAX);
    const schedules = new ScheduleCache();
    const metrics = new SchedulerMetrics(new MetricRegistry({ prefix: "dapr_", logger }));
    const engineClock: Clock = plant === "early trigger" ? { ...clock, now: () => clock.now() + AHEAD_MS } : clock;
    const handedOutMs = new WeakMap<JobEntry, number>();
    const engine = new TriggerEngine({ store, schedules, clock: engineClock, metrics, logger }, (entry) => {
      handedOutMs.set(entry, clock.now());
      return pool.dispatch(entry);
    });
    const pool: StreamPool = new StreamPool(clock, metrics, this.#watched(engine, handedOutMs));
    const stopping = new Cancellation();
    const factory = { random, schedules, now: () => clock.now() };
    const requests = new JobRequests({
      store,
      factory,
      metrics,
      logger,
      actorRemindersMax: 0,
      jobCount: () => engine.size,
    });
    const known = new HostList();
    const server = createSchedulerServer(requests, { pool, metrics, logger, stopping }, known);
    await engine.load();
    known.hosts = [SCHEDULER_ADDRESS];
    const stopListening = transport.listen(SCHEDULER_ADDRESS, server.accept, KEEPALIVE);
    this.#life = { process, transport, store, engine, pool, stopping, stopListening };
  }

  /** Looks at every trigger that is sent. */
  #watched(engine: TriggerEngine, handedOutMs: WeakMap<JobEntry, number>): PoolEvents {
    const { ledger, plant } = this.#cluster;
    return {
      content: async (entry) => {
        const content = await engine.content(entry);
        const version = content === undefined ? undefined : versionOf(content.spec.payload?.value ?? NOTHING, ledger);
        if (version !== undefined) {
          ledger.sent(version.id, entry.progress.count, handedOutMs.get(entry) ?? 0);
        }
        return content;
      },
      finished: (entry, result, tookMs) => {
        if (result !== "UNDELIVERABLE" || plant !== "swallowed trigger") {
          engine.finished(entry, result, tookMs);
        }
      },
      unreadable: (entry, error) => engine.unreadable(entry, error),
      vanished: (entry) => engine.vanished(entry),
      sent: (entry) => {
        handedOutMs.set(entry, this.machine.wallMs());
        engine.sent(entry);
      },
      reachable: (targets) => engine.reachable(targets),
    };
  }
}

const NOTHING = new Uint8Array();
