import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { type Clock, sleep } from "../../../kit/clock.ts";
import { processIdentity } from "./process-identity.ts";

const FILE_MODE = 0o600;
const POLL_MS = 50;
/** How long a member may take to end in peace, and then to go when it is killed, in milliseconds. */
const END_MS = 5_000;
const KILL_MS = 2_000;

/** Remembers a member's process, for a later scheduler on the same folder. */
export function writeMemberPid(file: string, pid: number): void {
  writeFileSync(file, JSON.stringify({ pid, identity: processIdentity(pid) }), { mode: FILE_MODE });
}

export function removeMemberPid(file: string): void {
  rmSync(file, { force: true });
}

/**
 * Ends the member that a scheduler on this folder has left behind when it was killed. Only that very process: a number that
 * somebody else has by now is left alone.
 * @returns its number, when there was one
 * @throws Error when it does not go
 */
export async function endOrphan(file: string, clock: Clock): Promise<number | undefined> {
  const left = readMemberPid(file);
  if (left === undefined || processIdentity(left.pid) !== left.identity) {
    removeMemberPid(file);
    return undefined;
  }
  const { pid, identity } = left;
  const isGone = async (signal: NodeJS.Signals, withinMs: number): Promise<boolean> => {
    kill(pid, signal);
    for (const endMs = clock.monotonicMs() + withinMs; clock.monotonicMs() < endMs; await sleep(clock, POLL_MS)) {
      if (processIdentity(pid) !== identity) {
        return true;
      }
    }
    return false;
  };
  if (!(await isGone("SIGTERM", END_MS)) && !(await isGone("SIGKILL", KILL_MS))) {
    throw new Error(`the etcd that an earlier scheduler left running (process ${pid}) cannot be ended: end it`);
  }
  removeMemberPid(file);
  return pid;
}

function readMemberPid(file: string): { readonly pid: number; readonly identity: string } | undefined {
  try {
    const { pid, identity } = JSON.parse(readFileSync(file, "utf8")) as { pid?: unknown; identity?: unknown };
    return Number.isSafeInteger(pid) && typeof identity === "string" ? { pid: pid as number, identity } : undefined;
  } catch {
    return undefined;
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone meanwhile.
  }
}
