import { Cancellation } from "../../kit/cancel-signal.ts";
import type { GrpcServer } from "../../net/grpc/server.ts";
import { type Listener, listen } from "../../net/http/listener.ts";
import { listenAddress, listenText } from "../shared/listen-address.ts";
import type { RoleContext, RoleService, StartRole } from "../shared/types.ts";
import { createEtcdServer } from "./etcd/etcd-server.ts";
import { JobRequests } from "./job-requests.ts";
import { ScheduleCache } from "./jobs/schedule-cache.ts";
import { keepLeadership } from "./leadership.ts";
import { STOP_GRACE_MS } from "./limits.ts";
import { SchedulerMetrics } from "../../telemetry/metrics/scheduler-metrics.ts";
import { createSchedulerServer } from "./scheduler-service.ts";
import { StreamPool } from "./sidecars/stream-pool.ts";
import { stoppedError } from "./sidecars/watch-jobs.ts";
import type { KeyStore } from "./store/key-store.ts";
import { LeaseBook } from "./store/lease-book.ts";
import { openKeyStore } from "./store/open-key-store.ts";
import { watchLateness } from "./triggers/lateness.ts";
import { TriggerEngine } from "./triggers/trigger-engine.ts";

/** What a scheduler is started with. */
export interface SchedulerOptions {
  readonly id: string;
  /** Port and address for sidecars; port 0 is any free one, an empty address every interface. */
  readonly port: number;
  readonly listenAddress: string;
  /** host:port that sidecars are told to connect to. */
  readonly broadcastAddress: string;
  readonly dataDir: string;
  /** For etcd clients. */
  readonly etcdPort: number;
  readonly etcdListenAddress: string;
  /** Bytes of all keys and values. */
  readonly spaceBytesMax: number;
  readonly txnOperationsMax: number;
  /** Shown in a log line that is compared with Dapr's; this scheduler needs no workers. */
  readonly workers: number;
  /** Where the cron library of Dapr's scheduler writes its JSON lines: standard error. */
  readonly diagnostics: (line: string) => void;
}

const KEEPALIVE = { keepaliveMs: 3_000, keepaliveTimeoutMs: 5_000 } as const;

/** The scheduler on the embedded engine: one member, its store in a folder. */
export function startScheduler(options: SchedulerOptions): StartRole {
  return async (context) => {
    context.logger.scope("dapr.scheduler.server").info("Dapr Scheduler is starting...");
    const undo: (() => Promise<void> | void)[] = [];
    const stop = async (): Promise<void> => {
      for (const step of undo.splice(0).toReversed()) {
        await step();
      }
    };
    try {
      await start(options, context, undo);
    } catch (error) {
      await stop();
      throw error;
    }
    return { failed: new Promise<never>(() => undefined), stop } satisfies RoleService;
  };
}

type Undo = (() => Promise<void> | void)[];

async function start(options: SchedulerOptions, context: RoleContext, undo: Undo): Promise<void> {
  const { clock, random, logger } = context;
  const server = logger.scope("dapr.scheduler.server");
  const cron = logger.scope("dapr.scheduler.server.cron");
  const store = await openStore(options, context, undo);
  const leases = new LeaseBook(store, clock, random);
  undo.push(() => leases.close());

  const schedules = new ScheduleCache();
  const metrics = new SchedulerMetrics(context.metrics);
  const engine = new TriggerEngine({ store, schedules, clock, metrics, logger: cron }, (entry) => pool.dispatch(entry));
  const pool: StreamPool = new StreamPool(clock, metrics, engine);
  cron.info("Starting Cron");
  options.diagnostics(workersLine(options, clock.now()));
  await engine.load();
  undo.push(() => engine.stop());
  const lateness = { clock, metrics, logger: cron };
  undo.push(watchLateness(engine, context.addHealthTarget("scheduler-triggers"), lateness));

  const { id, broadcastAddress, txnOperationsMax: operationsMax } = options;
  const clientUrl = `http://${listenText(options.etcdListenAddress, options.etcdPort)}`;
  const etcd = createEtcdServer({ store, leases, schedules, id, clientUrl, operationsMax });
  await serve(etcd, options.etcdListenAddress, options.etcdPort, context, undo);
  undo.push(await keepLeadership({ id, address: broadcastAddress }, { store, leases, clock, random, logger: cron }));
  cron.info("Cron is ready");

  const stopping = new Cancellation();
  const factory = { random, schedules, now: () => clock.now() };
  const requests = new JobRequests({ store, factory, metrics, logger: server, jobCount: () => engine.size });
  const streams = logger.scope("dapr.scheduler.server.pool.loops.stream");
  const api = createSchedulerServer(requests, { pool, metrics, logger: streams, stopping }, broadcastAddress);
  const health = context.addHealthTarget("scheduler-server");
  const port = await serve(api, options.listenAddress, options.port, context, undo);
  server.info(`Dapr Scheduler listening on: ${listenText(options.listenAddress, port)}`);
  server.info(`Running gRPC server on port ${port}`);
  health.ready();
  undo.push(() => {
    health.notReady();
    engine.stop();
    stopping.abort(stoppedError());
    pool.disconnectAll(stoppedError());
  });
}

async function openStore(options: SchedulerOptions, context: RoleContext, undo: Undo): Promise<KeyStore> {
  const { logger, clock, metrics } = context;
  const etcd = logger.scope("dapr.scheduler.server.etcd");
  const health = context.addHealthTarget("scheduler-etcd-embed");
  etcd.info(`Opening the store in ${options.dataDir}`);
  const store = await openKeyStore(options.dataDir, clock, options.spaceBytesMax);
  undo.push(async () => {
    health.notReady();
    await store.close();
    etcd.info("Etcd shut down");
  });
  metrics.collected(
    { kind: "gauge", name: "etcd_server_has_leader", help: "Whether the store has a leader.", labels: [] },
    () => 1,
  );
  metrics.collected(
    {
      kind: "gauge",
      name: "etcd_mvcc_db_total_size_in_bytes",
      help: "Bytes of all keys and values in the store.",
      labels: [],
    },
    () => store.bytes,
  );
  health.ready();
  return store;
}

/** Opens a port for a gRPC server. @returns the port */
async function serve(
  server: GrpcServer,
  host: string,
  port: number,
  { transport, logger }: RoleContext,
  undo: Undo,
): Promise<number> {
  const listener: Listener = await listen(listenAddress(host, port), {
    h2: transport.createServer(server.accept, KEEPALIVE),
  });
  undo.push(async () => {
    await Promise.all([server.close(STOP_GRACE_MS), listener.close(STOP_GRACE_MS)]);
    logger.scope("dapr.scheduler.server").info(`Scheduler GRPC server stopped on port ${listener.port}`);
  });
  return listener.port;
}

/** As the cron library of Dapr's scheduler writes it. */
function workersLine({ id, workers }: SchedulerOptions, nowMs: number): string {
  const ts = nowMs / 1_000;
  return `${JSON.stringify({ level: "info", ts, logger: "diagrid-cron.queue", msg: "Starting queue with workers", id, count: workers })}\n`;
}
