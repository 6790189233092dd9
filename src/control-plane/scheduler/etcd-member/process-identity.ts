import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** The field of /proc/<pid>/stat, counted from behind the program's name, that says when a process began. */
const START_FIELD = 19;
const PS_WAIT_MS = 5_000;

/**
 * What tells a process from every other that has ever had its number: when it began, and in which life of the machine.
 * Undefined: there is no such process, or the system does not say.
 */
export function processIdentity(pid: number): string | undefined {
  if (existsSync("/proc/self/stat")) {
    return identityInProc(pid);
  }
  try {
    const began = execFileSync("/bin/ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      timeout: PS_WAIT_MS,
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
    return began === "" ? undefined : began;
  } catch {
    return undefined;
  }
}

function identityInProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A process that nobody has waited for yet is gone all the same.
    if (fields[0] === "Z") {
      return undefined;
    }
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${fields[START_FIELD] ?? ""}`;
  } catch {
    return undefined;
  }
}
