import { KEEPALIVE } from "../mesh/limits.ts";
import { createGrpcClient } from "../net/grpc/client.ts";
import type { Scheduler, SchedulerOptions } from "../scheduling/scheduler.ts";
import type { ConnectScheduler, LocalScheduler, SchedulerClient } from "../scheduling/types.ts";
import { controlPlaneOptions } from "../security/peer-options.ts";
import { namespaceOf } from "./namespace.ts";
import { grpcClientObserver } from "./observers.ts";
import type { AssemblyPlan, Foundation } from "./plan.ts";

/** Streams of triggers from one scheduler to one sidecar. Each takes a thousand triggers at a time. */
const JOB_STREAMS_MAX = 100;

/** Where sidecars find a scheduler of their own process. */
const IN_PROCESS = "in-process";

/**
 * The client of the scheduler service, which `start` sets going; undefined without an address of one and without one in
 * this process. Only sidecars with a scheduler load it.
 *
 * @throws Error for fewer than one stream, or too many
 */
export async function createScheduler(base: Foundation): Promise<SchedulerClient | undefined> {
  const { options, deps, health, identity, metrics } = base;
  const { addresses, jobStreams } = options.scheduler;
  if (jobStreams < 1) {
    throw new Error(`must define at least 1 scheduler stream, got ${jobStreams}`);
  }
  if (jobStreams > JOB_STREAMS_MAX) {
    throw new Error(
      `at most ${JOB_STREAMS_MAX} streams to each scheduler are possible, got ${jobStreams}: lower --scheduler-job-streams`,
    );
  }
  if (addresses.length === 0 && deps.services !== undefined) {
    return await localScheduler(base, deps.services.scheduler);
  }
  if (addresses.length === 0) {
    deps.logger
      .scope("dapr.runtime.scheduler.watchhosts")
      .info("No scheduler host addresses provided. Scheduler disabled");
    return undefined;
  }
  const target = health.addTarget("scheduler-watch-hosts");
  const observer = grpcClientObserver(metrics);
  const connect: ConnectScheduler = (address) =>
    createGrpcClient(deps.transport, address, {
      // A list of jobs is as long as it is; the scheduler bounds the jobs.
      messageBytesMax: Number.MAX_SAFE_INTEGER,
      observer,
      ...controlPlaneOptions(identity, address, "dapr-scheduler", KEEPALIVE),
    });
  return await clientOf(base, { addresses, streamsPerHost: jobStreams, connect, onFound: () => target.ready() });
}

/** Nothing of it is loaded before the first job, and nobody waits for it. */
async function localScheduler(plan: AssemblyPlan, local: LocalScheduler): Promise<SchedulerClient> {
  const { LazyScheduler } = await import("../scheduling/lazy-scheduler.ts");
  return new LazyScheduler({
    local,
    connect: (connect) =>
      clientOf(plan, { addresses: [IN_PROCESS], streamsPerHost: 1, connect, onFound: () => undefined }),
    clock: plan.deps.clock,
    logger: plan.deps.logger,
  });
}

async function clientOf(
  { options, deps }: AssemblyPlan,
  settings: Pick<SchedulerOptions, "addresses" | "streamsPerHost" | "connect" | "onFound">,
): Promise<Scheduler> {
  const { Scheduler } = await import("../scheduling/scheduler.ts");
  return new Scheduler({ ...deps, appId: options.appId, namespace: namespaceOf(options), ...settings });
}
