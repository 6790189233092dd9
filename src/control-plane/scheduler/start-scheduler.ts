import { Cancellation } from "../../kit/cancel-signal.ts";
import type { WorkloadIdentity } from "../../security/identity.ts";
import { SchedulerMetrics } from "../../telemetry/metrics/scheduler-metrics.ts";
import { listenText } from "../shared/listen-address.ts";
import { openRoleIdentity } from "../shared/role-identity.ts";
import type { RoleContext, RoleService, StartRole } from "../shared/types.ts";
import { isClustered, openClusterForm } from "./cluster-form.ts";
import { JobRequests } from "./job-requests.ts";
import { ScheduleCache } from "./jobs/schedule-cache.ts";
import { HostList } from "./members/host-list.ts";
import { type SchedulerForm, type SchedulerOptions, serve, type Undo } from "./scheduler-form.ts";
import { createSchedulerServer } from "./scheduler-service.ts";
import { StreamPool } from "./sidecars/stream-pool.ts";
import { stoppedError } from "./sidecars/watch-jobs.ts";
import { openSingleForm } from "./single-form.ts";
import { watchLateness } from "./triggers/lateness.ts";
import { TracedTriggers } from "./triggers/traced-triggers.ts";
import { TriggerEngine } from "./triggers/trigger-engine.ts";

export type { SchedulerOptions } from "./scheduler-form.ts";

/** The scheduler: alone with its jobs in a folder, or one of several that share them in an etcd. */
export function startScheduler(options: SchedulerOptions): StartRole {
  return async (context) => {
    context.logger.scope("dapr.scheduler.server").info("Dapr Scheduler is starting...");
    const undo: Undo = [];
    const stop = async (): Promise<void> => {
      for (const step of undo.splice(0).toReversed()) {
        await step();
      }
    };
    try {
      const identity = await openRoleIdentity(options.tls, "dapr-scheduler", context);
      undo.push(() => identity?.close());
      const open = isClustered(options) ? openClusterForm : openSingleForm;
      const form = await open(options, context, undo);
      await start(form, options, context, identity, undo);
      return { failed: form.failed, stop } satisfies RoleService;
    } catch (error) {
      await stop();
      throw error;
    }
  };
}

async function start(
  form: SchedulerForm,
  options: SchedulerOptions,
  context: RoleContext,
  identity: WorkloadIdentity | undefined,
  undo: Undo,
): Promise<void> {
  const { clock, random, logger, tracer } = context;
  const server = logger.scope("dapr.scheduler.server");
  const cron = logger.scope("dapr.scheduler.server.cron");
  const { store, lease } = form;
  const schedules = new ScheduleCache();
  const metrics = new SchedulerMetrics(context.metrics);
  const engine = new TriggerEngine(
    { store, schedules, clock, metrics, logger: cron, ...(lease === undefined ? {} : { lease }) },
    (entry) => pool.dispatch(entry),
  );
  const pool: StreamPool = new StreamPool(
    clock,
    metrics,
    tracer === undefined ? engine : new TracedTriggers(engine, tracer, clock),
  );
  const hosts = new HostList();
  cron.info("Starting Cron");
  options.diagnostics(workersLine(options, clock.now()));
  undo.push(() => engine.stop());
  await form.begin({ engine, pool, schedules, hosts });
  const lateness = { clock, metrics, logger: cron };
  undo.push(watchLateness(engine, context.addHealthTarget("scheduler-triggers"), lateness));

  const stopping = new Cancellation();
  const factory = { random, schedules, now: () => clock.now() };
  const { actorRemindersMax } = options;
  const jobCount = (): number => engine.size;
  const requests = new JobRequests({ store, factory, metrics, logger: server, actorRemindersMax, jobCount });
  const streams = logger.scope("dapr.scheduler.server.pool.loops.stream");
  const api = createSchedulerServer(requests, { pool, metrics, logger: streams, stopping }, hosts, tracer);
  const health = context.addHealthTarget("scheduler-server");
  const port = await serve(api, options.listenAddress, options.port, context, undo, identity?.serverTls());
  server.info(`Dapr Scheduler listening on: ${listenText(options.listenAddress, port)}`);
  server.info(`Running gRPC server on port ${port}`);
  health.ready();
  undo.push(async () => {
    health.notReady();
    await form.leave();
    engine.stop();
    stopping.abort(stoppedError());
    pool.disconnectAll(stoppedError());
  });
}

/** As the cron library of Dapr's scheduler writes it. */
function workersLine({ id, workers }: SchedulerOptions, nowMs: number): string {
  const ts = nowMs / 1_000;
  return `${JSON.stringify({ level: "info", ts, logger: "diagrid-cron.queue", msg: "Starting queue with workers", id, count: workers })}\n`;
}
