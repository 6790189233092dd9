import { spawnSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";

/** A process that leads a group of its own, and all in that group. */
export class ProcessGroup {
  readonly #leader: number;
  /** Members when last looked: only living members make new ones. */
  #members: readonly number[] = [];

  constructor(leader: number) {
    this.#leader = leader;
  }

  /** Whether there was anyone to take it. On Windows any signal ends the whole tree at once. */
  signal(signal: "SIGTERM" | "SIGKILL" | 0): boolean {
    if (process.platform === "win32") {
      return signal !== 0 && endTreeOnWindows(this.#leader);
    }
    try {
      process.kill(-this.#leader, signal);
      return true;
    } catch (error) {
      // EPERM is macOS's word for a group that is on its way out.
      return (error as NodeJS.ErrnoException).code === "EPERM";
    }
  }

  /**
   * Whether anyone in the group still runs. The system counts the dead whose parent has not asked for them; in a
   * container without an init that asks, they stay for good. Linux tells which those are.
   */
  async alive(): Promise<boolean> {
    if (!this.signal(0)) {
      return false;
    }
    if (process.platform !== "linux") {
      return true;
    }
    for (const pid of this.#members) {
      if (await this.#runs(pid)) {
        return true;
      }
    }
    const all = await readdir("/proc").catch(() => undefined);
    if (all === undefined) {
      return true;
    }
    const pids = all.map(Number).filter((pid) => Number.isSafeInteger(pid));
    const running = await Promise.all(pids.map((pid) => this.#runs(pid)));
    this.#members = pids.filter((_, index) => running[index] === true);
    return this.#members.length > 0;
  }

  /** `/proc/<pid>/stat` reads `pid (name) state parent group …`; the name may hold anything. */
  async #runs(pid: number): Promise<boolean> {
    const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
    const [state, , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ", 3);
    return group === String(this.#leader) && state !== "Z" && state !== "X";
  }
}

function endTreeOnWindows(pid: number): boolean {
  spawnSync("taskkill", ["/pid", String(pid), "/t", "/f"], { stdio: "ignore", windowsHide: true });
  return true;
}
