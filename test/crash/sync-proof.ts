import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startSidecar } from "../executable/program.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { rawClient } from "./raw-client.ts";
import { readTrace, type SyncTrace } from "./sync-trace.ts";

const CLIENTS = 8;
const DATABASE = "state.db";

/** Whether other processes than children may be traced; above 0 only root may. */
const TRACE_SCOPE = "/proc/sys/kernel/yama/ptrace_scope";

/** Why no trace can be made here, or undefined when it can. */
export function withoutTrace(): string | undefined {
  if (process.platform !== "linux") return "strace is a program of Linux";
  const { error, status } = spawnSync("strace", ["-o", "/dev/null", "true"]);
  if (error !== undefined) return "strace is not installed";
  if (status !== 0) return "strace may not trace here";
  const scope = existsSync(TRACE_SCOPE) ? Number(readFileSync(TRACE_SCOPE, "utf8")) : 0;
  return scope === 0 || process.getuid?.() === 0 ? undefined : `only root may trace a running process (${TRACE_SCOPE})`;
}

/** Saves through a sidecar under strace, from several clients at once, and reads what the trace says. */
export async function traceSaves(program: string, args: readonly string[], saves: number): Promise<SyncTrace> {
  await using folder = await temporaryFolder();
  const resource = component("store", "state.sqlite", { connectionString: join(folder.path, DATABASE) });
  await folder.write("store.yaml", resource);
  await using sidecar = await startSidecar(program, [
    ...args,
    "sidecar",
    "--app-id=trace",
    `--resources-path=${folder.path}`,
  ]);
  // Elsewhere: the sidecar follows its resources' folder, and would read of every line that is written there.
  await using elsewhere = await temporaryFolder();
  const output = join(elsewhere.path, "trace.txt");
  const calls = "trace=read,write,writev,fsync,fdatasync";
  const strace = spawn("strace", ["-f", "-y", "-s", "64", "-e", calls, "-p", String(sidecar.pid), "-o", output], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(strace, "close");
  await once(strace.stderr, "data");
  let next = 0;
  const client = async (): Promise<void> => {
    const connection = await rawClient(sidecar.port);
    while (next < saves) {
      next += 1;
      const probe = next;
      const status = await connection?.post(
        `/v1.0/state/store?probe=${probe}`,
        `[{"key":"k${probe}","value":${probe}}]`,
      );
      if (status !== 204) throw new Error(`save ${probe} was answered ${status}`);
    }
    connection?.close();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  strace.kill("SIGINT");
  await ended;
  return readTrace(readFileSync(output, "utf8"), `${DATABASE}-wal`);
}
