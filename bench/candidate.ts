import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
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

/** A daprd-compatible executable under a name. */
export interface Candidate {
  readonly name: string;
  readonly path: string;
  /** Its placement and scheduler; without them the executable itself, which takes the role as its first argument. */
  readonly placement?: string;
  readonly scheduler?: string;
}

/** @param text `NAME=PATH[,PLACEMENT,SCHEDULER]` @throws Error for a path that cannot be run */
export function parseCandidate(text: string): Candidate {
  const mark = text.indexOf("=");
  const [path, placement, scheduler, ...more] = text
    .slice(mark + 1)
    .split(",")
    .map((each) => resolve(each));
  if (mark <= 0 || path === undefined || more.length > 0 || (placement === undefined) !== (scheduler === undefined)) {
    throw new Error(`--candidate takes NAME=PATH or NAME=PATH,PLACEMENT,SCHEDULER, not ${JSON.stringify(text)}`);
  }
  const name = text.slice(0, mark);
  const candidate =
    placement === undefined || scheduler === undefined ? { name, path } : { name, path, placement, scheduler };
  for (const each of [path, placement, scheduler]) {
    if (each !== undefined) accessSync(each, constants.X_OK);
  }
  return candidate;
}

export interface SidecarFlags {
  readonly appId: string;
  readonly resourcesPath: string;
  readonly appPort?: number;
  readonly appProtocol?: "http" | "grpc";
  /** Further flags. */
  readonly more?: readonly string[];
}

/** The app that hosts actors and takes jobs. */
export async function startActorApp(): Promise<RunningProcess> {
  const port = await freePort();
  const script = fileURLToPath(new URL("actor-app.mjs", import.meta.url));
  return await startProcess(process.execPath, [script, String(port)], port, "/", 200);
}

/** Starts a candidate with default flags and metrics, on free ports of the loopback interface. */
export async function startSidecar(candidate: Candidate, flags: SidecarFlags): Promise<RunningProcess> {
  const [http, grpc, internal, metrics] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const args = [
    `--app-id=${flags.appId}`,
    `--dapr-http-port=${http}`,
    `--dapr-grpc-port=${grpc}`,
    `--dapr-internal-grpc-port=${internal}`,
    "--dapr-internal-grpc-listen-address=127.0.0.1",
    "--dapr-listen-addresses=127.0.0.1",
    `--metrics-port=${metrics}`,
    "--metrics-listen-address=127.0.0.1",
    `--resources-path=${flags.resourcesPath}`,
    "--log-level=warn",
    ...(flags.appPort === undefined ? [] : [`--app-port=${flags.appPort}`]),
    `--app-protocol=${flags.appProtocol ?? "http"}`,
    ...(flags.more ?? []),
  ];
  return { ...(await startProcess(candidate.path, args, http, "/v1.0/healthz", 204)), grpcPort: grpc };
}

/** Yardstick E: the bare echo server. */
export async function startEcho(): Promise<RunningProcess> {
  const port = await freePort();
  return await startProcess(process.execPath, [yardstick("echo.mjs"), String(port)], port, "/", 200);
}

/** The app that answers gRPC calls. */
export async function startGrpcApp(): Promise<RunningProcess> {
  const port = await freePort();
  const script = fileURLToPath(new URL("grpc-app.ts", import.meta.url));
  return await startProcess(process.execPath, [script, String(port)], port, "/", 200);
}

/** The app that counts the events it is sent. */
export async function startCountingApp(): Promise<RunningProcess> {
  const port = await freePort();
  const script = fileURLToPath(new URL("counting-app.mjs", import.meta.url));
  return await startProcess(process.execPath, [script, String(port)], port, "/", 200);
}

/** Yardstick P: the bare proxy in front of `target`. */
export async function startProxy(target: number): Promise<RunningProcess> {
  const port = await freePort();
  return await startProcess(
    process.execPath,
    [yardstick("proxy.mjs"), String(port), `http://127.0.0.1:${target}`],
    port,
    "/",
    200,
  );
}

function yardstick(file: string): string {
  return fileURLToPath(new URL(`yardsticks/${file}`, import.meta.url));
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
): Promise<RunningProcess> {
  const startMs = performance.now();
  const child = spawn(path, args, { stdio: ["ignore", "ignore", "pipe"] });
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
