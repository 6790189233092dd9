import { readdirSync, readFileSync } from "node:fs";
// oxlint-disable-next-line no-restricted-imports -- not for the time of day: only it says how busy the loop is
import { monitorEventLoopDelay, performance as nodePerformance } from "node:perf_hooks";
import type { Clock } from "../../kit/clock.ts";
import type { MetricDefinition } from "./definition.ts";
import type { MetricRegistry } from "./registry.ts";

/** Facts about the process; each is undefined where the platform does not tell. */
export interface ProcessFacts {
  residentBytes(): number;
  virtualBytes(): number | undefined;
  cpuSeconds(): number;
  openFds(): number | undefined;
  heapUsedBytes(): number;
  heapTotalBytes(): number;
  /** Outside of the heap: buffers. */
  externalBytes(): number;
  /** How long the event loop kept what was due waiting, in seconds, since the last look. */
  loopDelay(): { readonly mean: number; readonly p99: number; readonly max: number };
  /** The part of its time, 0 to 1, that the event loop was busy since the last look. */
  loopUtilization(): number;
  /** Since the Unix epoch. */
  readonly startSeconds: number;
}

/** The loop is looked at this often: a process at rest wakes up for it, and shorter delays are not seen. */
const LOOP_LOOK_MS = 50;
const NS_PER_SECOND = 1e9;

/** Facts about this process. Reading them touches only procfs and takes microseconds. */
export function ownProcess(clock: Clock): ProcessFacts {
  let used = nodePerformance.eventLoopUtilization();
  const loopDelay = loopDelays();
  return {
    loopDelay,
    heapUsedBytes: () => process.memoryUsage().heapUsed,
    heapTotalBytes: () => process.memoryUsage().heapTotal,
    externalBytes: () => process.memoryUsage().external,
    loopUtilization: () => {
      const now = nodePerformance.eventLoopUtilization();
      const { utilization } = nodePerformance.eventLoopUtilization(now, used);
      used = now;
      return utilization;
    },
    residentBytes: () => process.memoryUsage.rss(),
    virtualBytes: () => readProc(virtualBytesFromStat),
    cpuSeconds: () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
    // The listing itself holds one descriptor.
    openFds: () => readProc(() => readdirSync("/proc/self/fd").length - 1),
    startSeconds: clock.now() / 1000 - process.uptime(),
  };
}

/** Begins to watch with the first look, so that a process whose metrics nobody reads pays nothing. */
function loopDelays(): ProcessFacts["loopDelay"] {
  let delays: ReturnType<typeof monitorEventLoopDelay> | undefined;
  // What is measured has the time between two looks in it.
  const seconds = (ns: number): number => Math.max(0, ns / NS_PER_SECOND - LOOP_LOOK_MS / 1_000);
  return () => {
    if (delays === undefined) {
      delays = monitorEventLoopDelay({ resolution: LOOP_LOOK_MS });
      delays.enable();
    }
    const seen =
      delays.count === 0
        ? { mean: 0, p99: 0, max: 0 }
        : { mean: seconds(delays.mean), p99: seconds(delays.percentile(99)), max: seconds(delays.max) };
    delays.reset();
    return seen;
  };
}

/**
 * Adds the `process_*` metrics of the Prometheus client libraries, and `nodejs_*` as Node's client library names them. Go's
 * own (`go_*`) have no counterpart here and are not faked.
 */
export function collectProcessMetrics(registry: MetricRegistry, facts: ProcessFacts): void {
  registry.collected(
    single("counter", "process_cpu_seconds_total", "Total user and system CPU time spent in seconds."),
    () => facts.cpuSeconds(),
  );
  registry.collected(single("gauge", "process_resident_memory_bytes", "Resident memory size in bytes."), () =>
    facts.residentBytes(),
  );
  registry.collected(
    single("gauge", "process_start_time_seconds", "Start time of the process since unix epoch in seconds."),
    () => facts.startSeconds,
  );
  if (facts.virtualBytes() !== undefined) {
    registry.collected(
      single("gauge", "process_virtual_memory_bytes", "Virtual memory size in bytes."),
      () => facts.virtualBytes() ?? Number.NaN,
    );
  }
  if (facts.openFds() !== undefined) {
    registry.collected(
      single("gauge", "process_open_fds", "Number of open file descriptors."),
      () => facts.openFds() ?? Number.NaN,
    );
  }
  collectNodeMetrics(registry, facts);
}

function collectNodeMetrics(registry: MetricRegistry, facts: ProcessFacts): void {
  const gauges: readonly (readonly [name: string, help: string, read: () => number])[] = [
    ["nodejs_heap_size_used_bytes", "Process heap size used from Node.js in bytes.", () => facts.heapUsedBytes()],
    ["nodejs_heap_size_total_bytes", "Process heap size from Node.js in bytes.", () => facts.heapTotalBytes()],
    ["nodejs_external_memory_bytes", "Node.js external memory size in bytes.", () => facts.externalBytes()],
    [
      "nodejs_eventloop_utilization",
      "The part of the time since the last scrape that the event loop was busy.",
      () => facts.loopUtilization(),
    ],
  ];
  for (const [name, help, read] of gauges) {
    registry.collected(single("gauge", name, help), read);
  }
  let delay = { mean: 0, p99: 0, max: 0 };
  const lag = (what: string): string => `The ${what} of the event loop delays since the last scrape, in seconds.`;
  registry.collected(single("gauge", "nodejs_eventloop_lag_mean_seconds", lag("mean")), () => {
    delay = facts.loopDelay();
    return delay.mean;
  });
  registry.collected(single("gauge", "nodejs_eventloop_lag_p99_seconds", lag("99th percentile")), () => delay.p99);
  registry.collected(single("gauge", "nodejs_eventloop_lag_max_seconds", lag("maximum")), () => delay.max);
}

function single<K extends "counter" | "gauge">(
  kind: K,
  name: string,
  help: string,
): MetricDefinition & { readonly kind: K } {
  return { kind, name, help, labels: [] };
}

/** Field 23 of proc(5); the command before it may hold spaces and parentheses. */
function virtualBytesFromStat(): number {
  const stat = readFileSync("/proc/self/stat", "latin1");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[20]);
}

function readProc(read: () => number): number | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
