import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { once } from "node:events";
import type { Clock } from "../../../kit/clock.ts";
import type { Logger } from "../../../kit/logger.ts";
import type { EtcdFolder } from "./etcd-folder.ts";
import { type EtcdMemberSettings, etcdArguments, etcdEnvironment } from "./etcd-arguments.ts";
import type { EtcdProgram } from "./etcd-program.ts";
import { endOrphan, removeMemberPid, writeMemberPid } from "./orphan.ts";

/** How long the member may take to hand over its leadership and end, in milliseconds. */
const STOP_MS = 5_000;
/** The log of a member that is larger at its start is put aside, in place of the one before. */
const LOG_BYTES_MAX = 16 * 1024 * 1024;
/** Lines of the log that are shown when a member ends by itself. */
const LINES_SHOWN = 5;
const FILE_MODE = 0o600;

/**
 * Reads its pipe until the scheduler ends, however it does, and then ends the member. `q` sends it away. Only the shell's
 * own words, since there may be no PATH.
 */
const GUARD = `trap '' INT TERM HUP QUIT; read -r word; if [ "$word" != q ]; then kill -9 "$1"; fi`;

/** A running member of an etcd cluster, a process of its own that ends with this one. */
export interface EtcdMember {
  /** Rejects when it ends by itself. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/**
 * Starts a member. Nothing of it is connected to our own input and output; it writes to a file, and has a group of its own,
 * so that a terminal's signals reach it only through us.
 * @throws Error
 */
export async function startEtcdMember(
  settings: EtcdMemberSettings,
  folder: EtcdFolder,
  program: EtcdProgram,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<EtcdMember> {
  const orphan = await endOrphan(folder.pid, clock);
  if (orphan !== undefined) {
    logger.warn(`Ended the etcd (process ${orphan}) that an earlier scheduler had left running`);
  }
  const log = openLog(folder.log);
  let child: ChildProcess;
  try {
    child = spawn(program.path, etcdArguments(settings, folder.data, program), {
      cwd: "/",
      env: etcdEnvironment(program),
      detached: true,
      windowsHide: true,
      stdio: ["ignore", log, log],
    });
    await Promise.race([once(child, "spawn"), once(child, "error").then(([error]) => Promise.reject(error as Error))]);
  } finally {
    closeSync(log);
  }
  return new RunningMember(child, folder, clock);
}

class RunningMember implements EtcdMember {
  readonly failed: Promise<never>;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #guard: ChildProcess | undefined;
  readonly #exited: Promise<void>;
  #stopping = false;

  constructor(child: ChildProcess, folder: EtcdFolder, clock: Clock) {
    this.#child = child;
    this.#clock = clock;
    const pid = child.pid as number;
    writeMemberPid(folder.pid, pid);
    this.#guard = startGuard(pid);
    const exited = Promise.withResolvers<void>();
    const failed = Promise.withResolvers<never>();
    this.#exited = exited.promise;
    this.failed = failed.promise;
    failed.promise.catch(() => undefined);
    child.once("exit", (code, signal) => {
      this.#guard?.stdin?.end("q\n");
      removeMemberPid(folder.pid);
      exited.resolve();
      if (!this.#stopping) {
        failed.reject(new Error(`etcd has ended (${signal ?? `code ${code}`}); ${lastLines(folder.log)}`));
      }
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return;
    }
    this.#child.kill("SIGTERM");
    const timer = this.#clock.after(STOP_MS, () => this.#child.kill("SIGKILL"));
    await this.#exited;
    timer.cancel();
  }
}

/** Undefined where there is no shell: the next start on the folder ends what is left. */
function startGuard(pid: number): ChildProcess | undefined {
  if (process.platform === "win32") {
    return undefined;
  }
  const guard = spawn("/bin/sh", ["-c", GUARD, "outrigger-etcd-guard", String(pid)], {
    cwd: "/",
    env: {},
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.on("error", () => undefined);
  // A guard that somebody has killed takes no more words.
  guard.stdin.on("error", () => undefined);
  return guard;
}

function openLog(file: string): number {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) {
    renameSync(file, `${file}.1`);
  }
  return openSync(file, "a", FILE_MODE);
}

function lastLines(file: string): string {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  return `its log is ${file}, which ends in:\n${lines.slice(-LINES_SHOWN).join("\n")}`;
}
