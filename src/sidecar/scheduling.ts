import { createGrpcClient } from "../net/grpc/client.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";
import { namespaceOf } from "./namespace.ts";
import { grpcClientObserver } from "./observers.ts";
import type { AssemblyPlan } from "./plan.ts";
import type { RuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";

/** Milliseconds of silence before a scheduler is asked whether it is there, the least that gRPC servers allow; and for its answer. */
const KEEPALIVE_MS = 10_000;
const KEEPALIVE_TIMEOUT_MS = 5_000;

/**
 * The client of the scheduler service, which `start` sets going; undefined without an address of one. Only sidecars with a
 * scheduler load it.
 *
 * @throws Error for fewer than one stream
 */
export async function createScheduler(
  { options, deps, health }: AssemblyPlan,
  metrics: RuntimeMetrics | undefined,
): Promise<Scheduler | undefined> {
  const { addresses, jobStreams } = options.scheduler;
  if (jobStreams < 1) {
    throw new Error(`must define at least 1 scheduler stream, got ${jobStreams}`);
  }
  if (addresses.length === 0) {
    deps.logger
      .scope("dapr.runtime.scheduler.watchhosts")
      .info("No scheduler host addresses provided. Scheduler disabled");
    return undefined;
  }
  const { Scheduler } = await import("../scheduling/scheduler.ts");
  const target = health.addTarget("scheduler-watch-hosts");
  const observer = grpcClientObserver(metrics);
  return new Scheduler({
    ...deps,
    appId: options.appId,
    namespace: namespaceOf(options),
    addresses,
    streamsPerHost: jobStreams,
    connect: (address) =>
      createGrpcClient(deps.transport, address, {
        // A list of jobs is as long as it is; the scheduler bounds the jobs.
        messageBytesMax: Number.MAX_SAFE_INTEGER,
        observer,
        transport: { keepaliveMs: KEEPALIVE_MS, keepaliveTimeoutMs: KEEPALIVE_TIMEOUT_MS },
      }),
    onFound: () => target.ready(),
  });
}
