import { readFileSync } from "node:fs";

/** Megabytes of a process that are in memory; only where the system has /proc. */
export function residentMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
}
