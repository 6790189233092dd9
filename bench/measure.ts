import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Candidate, startCountingApp, startEcho, startGrpcApp, startProxy, startSidecar } from "./candidate.ts";
import { commitsOf } from "./disk.ts";
import { startSurroundings } from "./features.ts";
import { runClosedLoop, runFixedRate } from "./http-load.ts";
import type { LoadTarget } from "./load-target.ts";
import { resourcesOf } from "./operations.ts";
import type { LoadRequest } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { residentMb } from "./process-usage.ts";
import { type RunningProcess } from "./running-process.ts";

/** How long and how hard; see `--help` of `run.ts`. */
export interface Effort {
  readonly connections: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
}

/** One operation of one subject in one round. */
export interface Sample {
  readonly opsPerSecond: number;
  /** User and system CPU of all measured sidecars, per operation. */
  readonly cpuMicros: number;
  /** The same of placement and scheduler; NaN where there are none. */
  readonly controlMicros: number;
  /** From when a request was planned to its answer, or from when a trigger was due to the app's hearing of it. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly rssMb: number;
  /** Requests per commit of the database, at saturation; NaN where none is written to. */
  readonly opsPerSync: number;
  /** Memory that one idle actor adds to the sidecar; NaN where that is not what is measured. */
  readonly actorBytes: number;
}

/** A candidate's start in one round, before any load. */
export interface StartSample {
  readonly readyMs: number;
  readonly idleRssMb: number;
  readonly idleAnonymousMb: number;
}

const SETTLE_MS = 1000;
/** Between two looks at the deliveries; none in between means that all have come. */
const DRAIN_POLL_MS = 200;
const DRAIN_MS_MAX = 60_000;

export async function measureEcho(effort: Effort, fixedRate: number): Promise<Sample> {
  const echo = await startEcho();
  try {
    return await measure([echo], { port: echo.port, method: "GET", path: "/", expectStatus: 200 }, effort, fixedRate);
  } finally {
    await echo.stop();
  }
}

/** Only the proxy's own process counts. */
export async function measureProxy(effort: Effort, fixedRate: number): Promise<Sample> {
  const echo = await startEcho();
  const proxy = await startProxy(echo.port);
  try {
    return await measure([proxy], { port: proxy.port, method: "GET", path: "/", expectStatus: 200 }, effort, fixedRate);
  } finally {
    await proxy.stop();
    await echo.stop();
  }
}

/** Asks the kernel to forget a file's pages, so that memory is judged by a program that was run, not by one that was copied. */
export function dropFromPageCache(path: string): void {
  spawnSync("dd", [`of=${path}`, "oflag=nocache", "conv=notrunc,fdatasync", "count=0"], { stdio: "ignore" });
}

export async function measureStart(candidate: Candidate): Promise<StartSample> {
  return await withResources(undefined, async (resourcesPath) => {
    const sidecar = await startSidecar(candidate, { appId: "bench", resourcesPath });
    try {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const rss = residentMb(sidecar.pid);
      return { readyMs: sidecar.readyMs, idleRssMb: rss.total, idleAnonymousMb: rss.anonymous };
    } finally {
      await sidecar.stop();
    }
  });
}

export async function measureOperation(candidate: Candidate, operation: Operation, effort: Effort): Promise<Sample> {
  return await withResources(operation, async (resourcesPath) => {
    const running: RunningProcess[] = [];
    const { flags: more, environment, stop } = await startSurroundings(candidate);
    const told = { resourcesPath, more, environment };
    const app = await startApp(operation);
    try {
      if (app !== undefined && operation.topology !== "subscriber") {
        const appProtocol = operation.topology === "grpc-pair" ? "grpc" : "http";
        running.push(await startSidecar(candidate, { ...told, appId: "bench-callee", appPort: app.port, appProtocol }));
      }
      const appPort = operation.topology === "subscriber" ? app?.port : undefined;
      const caller = await startSidecar(candidate, {
        ...told,
        appId: "bench",
        ...(appPort === undefined ? {} : { appPort }),
      });
      running.push(caller);
      if (operation.prepare !== undefined) {
        await runClosedLoop(targetOf(operation.prepare, caller), 1, 0.05);
      }
      const database = operation.database === undefined ? undefined : join(resourcesPath, operation.database);
      const delivered = appPort === undefined ? undefined : () => deliveredTo(appPort);
      return await measure(running, targetOf(operation.request, caller), effort, operation.fixedRate, {
        database,
        delivered,
        unitsPerRequest: operation.unitsPerRequest ?? 1,
      });
    } finally {
      for (const process of running) {
        await process.stop();
      }
      await app?.stop();
      await stop();
    }
  });
}

/** What is sent to a sidecar, on the port that takes it. */
export function targetOf(request: LoadRequest, { port, grpcPort = port }: RunningProcess): LoadTarget {
  return { ...request, port: request.grpc === true ? grpcPort : port };
}

/** What is counted besides requests. */
export interface Counted {
  readonly database?: string | undefined;
  /** Events that have reached the app: with it, operations are deliveries and the run ends when the last has come. */
  readonly delivered?: (() => Promise<number>) | undefined;
  /** 1 when absent. */
  readonly unitsPerRequest?: number;
  /** Placement and scheduler. */
  readonly controlPlane?: readonly RunningProcess[];
}

async function startApp(operation: Operation): Promise<RunningProcess | undefined> {
  switch (operation.topology) {
    case "pair":
      return await startEcho();
    case "grpc-pair":
      return await startGrpcApp();
    case "subscriber":
      return await startCountingApp();
    case "single":
    case "stateful":
      return undefined;
  }
}

async function deliveredTo(port: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/count`);
  return Number(await answer.text());
}

/** Waits until nothing has arrived for a moment. @returns deliveries so far */
async function drained(delivered: () => Promise<number>): Promise<number> {
  const untilMs = performance.now() + DRAIN_MS_MAX;
  let last = -1;
  for (let count = await delivered(); count !== last && performance.now() < untilMs; count = await delivered()) {
    last = count;
    await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
  }
  return last;
}

/** Saturates, then paces. */
export async function measure(
  running: readonly RunningProcess[],
  target: LoadTarget,
  effort: Effort,
  fixedRate: number,
  { database, delivered, unitsPerRequest = 1, controlPlane }: Counted = {},
): Promise<Sample> {
  const commits = (): number => (database === undefined ? Number.NaN : commitsOf(database));
  await runClosedLoop(target, effort.connections, effort.warmupSeconds);
  const deliveredBefore = delivered === undefined ? 0 : await drained(delivered);
  const cpuBefore = totalCpu(running);
  const controlBefore = totalCpu(controlPlane ?? []);
  const startMs = performance.now();
  const commitsBefore = commits();
  const saturated = await runClosedLoop(target, effort.connections, effort.seconds);
  const operations =
    delivered === undefined ? saturated.requests * unitsPerRequest : (await drained(delivered)) - deliveredBefore;
  const seconds = delivered === undefined ? saturated.seconds : (performance.now() - startMs - DRAIN_POLL_MS) / 1000;
  const cpu = totalCpu(running) - cpuBefore;
  const control = controlPlane === undefined ? Number.NaN : totalCpu(controlPlane) - controlBefore;
  const committed = commits() - commitsBefore;
  const rssMb = running.reduce((sum, process) => sum + residentMb(process.pid).total, 0);
  const paced = await runFixedRate(target, effort.connections, effort.seconds, fixedRate);
  return {
    opsPerSecond: operations / seconds,
    cpuMicros: (cpu * 1e6) / operations,
    controlMicros: (control * 1e6) / operations,
    p50Ms: paced.latency.quantile(0.5),
    p99Ms: paced.latency.quantile(0.99),
    maxMs: paced.latency.quantile(1),
    rssMb,
    opsPerSync: committed > 0 ? saturated.requests / committed : Number.NaN,
    actorBytes: Number.NaN,
  };
}

/** CPU seconds of some processes so far. */
export function totalCpu(running: readonly RunningProcess[]): number {
  return running.reduce((sum, process) => sum + process.cpuSeconds(), 0);
}

/** A folder with an operation's resources, gone afterwards. */
export async function withResources<T>(
  operation: Operation | undefined,
  use: (resourcesPath: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "outrigger-bench-"));
  try {
    writeFileSync(join(folder, "components.yaml"), resourcesOf(operation, folder));
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
