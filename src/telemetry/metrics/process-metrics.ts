import { readdirSync, readFileSync } from "node:fs";
import type { Clock } from "../../kit/clock.ts";
import type { MetricDefinition } from "./definition.ts";
import type { MetricRegistry } from "./registry.ts";

/** Facts about the process; each is undefined where the platform does not tell. */
export interface ProcessFacts {
  residentBytes(): number;
  virtualBytes(): number | undefined;
  cpuSeconds(): number;
  openFds(): number | undefined;
  /** Since the Unix epoch. */
  readonly startSeconds: number;
}

/** Facts about this process. Reading them touches only procfs and takes microseconds. */
export function ownProcess(clock: Clock): ProcessFacts {
  return {
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

/** Adds the `process_*` metrics of the Prometheus client libraries. Go's own (`go_*`) have no counterpart here and are not faked. */
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
