import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { cpuSeconds } from "./process-usage.ts";

const READY_POLL_MS = 2;
const READY_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;
const COMPLAINTS_LENGTH_MAX = 4_000;

/** Something that runs as a process of its own and is measured from outside. */
export interface RunningProcess {
  readonly pid: number;
  readonly port: number;
  /** Of a sidecar. */
  readonly grpcPort?: number;
  /** From exec to the first good answer of its health route, in milliseconds. */
  readonly readyMs: number;
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/**
 * Starts a program; what it complains of is shown only when it ends before it is ready.
 * @param port where `healthPath` answers `status` once it is ready
 */
export async function startProcess(
  path: string,
  args: readonly string[],
  port: number,
  healthPath: string,
  status: number,
  environment?: Readonly<Record<string, string>>,
): Promise<RunningProcess> {
  const startMs = performance.now();
  const env = { ...process.env, ...environment };
  const child = spawn(path, args, { stdio: ["ignore", "ignore", "pipe"], env });
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-COMPLAINTS_LENGTH_MAX);
  });
  const exited = once(child, "exit");
  const pid = child.pid;
  if (pid === undefined) {
    throw new Error(`cannot start ${path}`);
  }
  let readyMs: number;
  try {
    readyMs = await waitReady(child, port, healthPath, status, startMs, () => complaints);
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  return {
    pid,
    port,
    readyMs,
    cpuSeconds: () => cpuSeconds(pid),
    async stop() {
      child.kill("SIGINT");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}

async function waitReady(
  child: ChildProcess,
  port: number,
  path: string,
  status: number,
  startMs: number,
  complaints: () => string,
): Promise<number> {
  while (performance.now() - startMs < READY_LIMIT_MS) {
    if (child.exitCode !== null) {
      throw new Error(`${child.spawnfile} ended with code ${child.exitCode} before it was ready: ${complaints()}`);
    }
    try {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      await answer.arrayBuffer();
      if (answer.status === status) {
        return performance.now() - startMs;
      }
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
  throw new Error(`${child.spawnfile} was not ready within ${READY_LIMIT_MS} ms: ${complaints()}`);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") {
    throw new Error("no free port");
  }
  return address.port;
}
