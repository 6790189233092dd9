import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { startOrphanGuard } from "./orphan-guard.ts";

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      process.kill(-child.pid, "SIGKILL");
    }
  }
});

function group(): ChildProcess {
  const child = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
  started.push(child);
  return child;
}

/** Dead, or dead but for the record that its parent has not read. */
function gone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform === "linux" && /^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((done) => setTimeout(done, 5));
  }
}

function ignoresInterrupt(pid: number): boolean {
  const [, ignored = "0"] = /^SigIgn:\s*(\w+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return (BigInt(`0x${ignored}`) & 0b10n) !== 0n;
}

/** A process of its own that guards groups, and does with them what `script` says. */
async function guardian(script: string): Promise<{ process: ChildProcess; pids: number[]; guardPid: number }> {
  const child = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import { spawn } from "node:child_process";
       import { startOrphanGuard } from ${JSON.stringify(resolve(import.meta.dirname, "orphan-guard.ts"))};
       const guard = startOrphanGuard();
       const groups = [1, 2, 3].map(() => spawn("sleep", ["60"], { detached: true, stdio: "ignore" }));
       for (const one of groups) guard.add(one.pid);
       ${script}
       const guardPid = process._getActiveHandles().find((one) => one.spawnfile === "/bin/sh").pid;
       console.log(JSON.stringify({ pids: groups.map((one) => one.pid), guardPid }));
       setInterval(() => {}, 1000);`,
    ],
    { detached: true, stdio: ["ignore", "pipe", "inherit"] },
  );
  started.push(child);
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { process: child, ...(JSON.parse(line) as { pids: number[]; guardPid: number }) };
}

describe.skipIf(process.platform === "win32")("the orphan guard", () => {
  it("kills the groups of a process that was killed, but for those taken from it, and goes", async () => {
    const { process: parent, pids, guardPid } = await guardian("guard.remove(groups[1].pid);");
    try {
      expect(pids.map(gone)).toEqual([false, false, false]);
      // As the terminal's Ctrl-C or its end would: once it runs, the guard does not mind.
      await until(() => process.platform !== "linux" || ignoresInterrupt(guardPid));
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        process.kill(guardPid, signal);
      }
      parent.kill("SIGKILL");
      await until(() => gone(pids[0]!) && gone(pids[2]!) && gone(guardPid));
      expect(gone(pids[1]!)).toBe(false);
    } finally {
      process.kill(-pids[1]!, "SIGKILL");
    }
  });

  it("kills none when it was closed before", async () => {
    const one = group();
    const guard = startOrphanGuard();
    guard.add(one.pid!);
    guard.close();
    guard.add(one.pid!);
    guard.close();
    await new Promise((done) => setTimeout(done, 100));
    expect(gone(one.pid!)).toBe(false);
  });

  it("looks after many, and not after any number", () => {
    const guard = startOrphanGuard();
    try {
      // Numbers above any process's.
      for (let pid = 1; pid <= 1_024; pid += 1) {
        guard.add(1_000_000_000 + pid);
      }
      expect(() => guard.add(2_000_000_000)).toThrow("more than 1024 processes under one guard");
      guard.remove(1_000_000_001);
      guard.add(2_000_000_000);
    } finally {
      guard.close();
    }
  });
});
