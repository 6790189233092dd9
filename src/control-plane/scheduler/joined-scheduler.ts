import { Cancellation } from "../../kit/cancel-signal.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { createGrpcClient } from "../../net/grpc/client.ts";
import { MemoryTransport } from "../../net/h2/memory.ts";
import type { AcceptStream } from "../../net/h2/transport.ts";
import type { ConnectScheduler } from "../../scheduling/types.ts";
import { openLocalEngine } from "../../storage/local-engine.ts";
import { MetricRegistry } from "../../telemetry/metrics/registry.ts";
import { SchedulerMetrics } from "../../telemetry/metrics/scheduler-metrics.ts";
import { JobRequests } from "./job-requests.ts";
import { ScheduleCache } from "./jobs/schedule-cache.ts";
import { ACTOR_REMINDERS_MAX, STOP_GRACE_MS } from "./limits.ts";
import { HostList } from "./members/host-list.ts";
import { createSchedulerServer } from "./scheduler-service.ts";
import { StreamPool } from "./sidecars/stream-pool.ts";
import { stoppedError } from "./sidecars/watch-jobs.ts";
import type { KeyStore } from "./store/key-store.ts";
import { openKeyStore } from "./store/open-key-store.ts";
import { SqliteKeyStore } from "./store/sqlite-key-store.ts";
import { memoryStoreOptions } from "./store/sqlite-schema.ts";
import { TriggerEngine } from "./triggers/trigger-engine.ts";

/** What sidecars know it by; nobody listens there. */
const ADDRESS = "in-process";

/** Bytes of all keys and values, in a folder and in memory. */
const SPACE_BYTES_MAX = 64 * 1024 ** 3;
const MEMORY_BYTES_MAX = 512 * 1024 ** 2;

/** The thread waits so long for an earlier process to let go of the folder. */
const LOCK_WAIT_MS = 250;

export interface JoinedSchedulerOptions {
  /** Where jobs and reminders are kept, made with the first of them; undefined: in memory, as long as this lives. */
  readonly folder: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A scheduler that is open, and the way to it within this process. */
export interface JoinedScheduler {
  readonly connect: ConnectScheduler;
  /** For streams of sidecars elsewhere, which are told by `announce` where they reach it. */
  readonly accept: AcceptStream;
  announce(address: string): void;
  close(): Promise<void>;
}

/** Opens the store and goes on with its jobs. @throws Error saying what is wrong with the folder */
export async function joinScheduler(options: JoinedSchedulerOptions): Promise<JoinedScheduler> {
  const { clock, random } = options;
  const logger = options.logger.scope("dapr.scheduler.server");
  const store = await openStore(options);
  const schedules = new ScheduleCache();
  // Nobody scrapes them: they are there because the engine counts.
  const metrics = new SchedulerMetrics(new MetricRegistry({ prefix: "dapr_", logger }));
  const engine = new TriggerEngine({ store, schedules, clock, metrics, logger }, (entry) => pool.dispatch(entry));
  const pool: StreamPool = new StreamPool(clock, metrics, engine);
  const stopping = new Cancellation();
  const requests = new JobRequests({
    store,
    factory: { random, schedules, now: () => clock.now() },
    metrics,
    // What is refused the sidecar that asked for it tells.
    logger: silentLogger,
    actorRemindersMax: ACTOR_REMINDERS_MAX,
    jobCount: () => engine.size,
  });
  const hosts = new HostList();
  hosts.hosts = [ADDRESS];
  const server = createSchedulerServer(requests, { pool, metrics, logger: silentLogger, stopping }, hosts);
  const transport = new MemoryTransport();
  transport.bind(ADDRESS, server.accept);
  try {
    await engine.load();
  } catch (error) {
    engine.stop();
    await store.close();
    throw error;
  }
  return {
    // A list of jobs is as long as it is; the scheduler bounds the jobs.
    connect: (address) => createGrpcClient(transport, address, { messageBytesMax: Number.MAX_SAFE_INTEGER }),
    accept: server.accept,
    announce(address) {
      hosts.hosts = [address];
    },
    async close() {
      engine.stop();
      stopping.abort(stoppedError());
      pool.disconnectAll(stoppedError());
      await server.close(STOP_GRACE_MS);
      await store.close();
    },
  };
}

async function openStore({ folder, clock, logger }: JoinedSchedulerOptions): Promise<KeyStore> {
  if (folder !== undefined) {
    return await openKeyStore(folder, clock, SPACE_BYTES_MAX, LOCK_WAIT_MS);
  }
  logger.warn("Jobs and reminders are kept in memory: they are gone when this process ends");
  return new SqliteKeyStore(openLocalEngine(memoryStoreOptions()), MEMORY_BYTES_MAX);
}
