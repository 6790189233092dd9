import { join } from "node:path";
import { type Candidate, startActorApp, startSidecar } from "./candidate.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { runBatch } from "./http-load.ts";
import { type Effort, measure, type Sample, targetOf, totalCpu, withResources } from "./measure.ts";
import type { LoadRequest } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { residentMb } from "./process-usage.ts";
import { DUE_MARK } from "./stateful-operations.ts";
import { type RunningProcess } from "./running-process.ts";

const READY_POLL_MS = 50;
const READY_MS_MAX = 60_000;
/** From the beginning of a burst's registration until it is due, at least. */
const LEAD_MS = 3_000;
/** Bursts that may be due before they are registered, on a machine that is busy. */
const BURST_ATTEMPTS_MAX = 4;
/** What came last is let come to rest before CPU is read. */
const SETTLE_MS = 500;
const ARRIVALS_POLL_MS = 100;
const ARRIVALS_MS_MAX = 60_000;
/** Actors that are activated before memory is read for the first time. */
const WARM_UP_ACTORS = 10_000;
/** For the collectors of both to give back what they do not need. */
const MEMORY_SETTLE_MS = 8_000;
const MB = 2 ** 20;

interface Arrivals {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What is measured of: a sidecar with its app, and its control plane. */
interface Rig {
  readonly sidecar: RunningProcess;
  readonly app: RunningProcess;
  readonly controlPlane: ControlPlane;
}

/** One operation of topology `stateful`. */
export async function measureStateful(candidate: Candidate, operation: Operation, effort: Effort): Promise<Sample> {
  return await withResources(operation, async (folder) => {
    const controlPlane = await startControlPlane(candidate, folder);
    const app = await startActorApp();
    try {
      const flags = { appId: "bench", resourcesPath: folder, appPort: app.port, more: controlPlane.sidecarFlags };
      const sidecar = await startSidecar(candidate, flags);
      try {
        await ask(app, `sidecar/${sidecar.port}`);
        await ready(sidecar);
        return await measureRig({ sidecar, app, controlPlane }, operation, effort);
      } finally {
        await sidecar.stop();
      }
    } finally {
      await app.stop();
      await controlPlane.stop();
    }
  });
}

async function measureRig(rig: Rig, operation: Operation, effort: Effort): Promise<Sample> {
  if (operation.burst !== undefined) {
    return await measureBurst(rig, operation.request, operation.burst, effort.connections);
  }
  if (operation.idleActors !== undefined) {
    return await measureIdle(rig, operation.request, operation.idleActors, effort.connections);
  }
  const { sidecar, controlPlane } = rig;
  const target = targetOf(operation.request, sidecar);
  const counted = operation.controlPlane === true && {
    controlPlane: controlPlane.processes,
    database: join(controlPlane.dataDir, "scheduler.db"),
  };
  return await measure([sidecar], target, effort, operation.fixedRate, counted || {});
}

/** Once unmeasured, so that code which has never run does not count, then once measured. */
async function measureBurst(rig: Rig, request: LoadRequest, count: number, connections: number): Promise<Sample> {
  let leadMs = LEAD_MS;
  let burst = await register(rig, request, count, connections, leadMs);
  await arrived(rig.app, count);
  for (let attempt = 1; ; attempt += 1) {
    leadMs = LEAD_MS + 2 * Math.max(0, leadMs - burst.leftMs);
    burst = await register(rig, request, count, connections, leadMs);
    if (burst.leftMs > SETTLE_MS) {
      break;
    }
    if (attempt === BURST_ATTEMPTS_MAX) {
      throw new Error(
        `the registration of ${count} triggers took longer than they could wait, ${attempt} times in a row`,
      );
    }
    await arrived(rig.app, count);
  }
  await pause(burst.dueMs - SETTLE_MS - Date.now());
  const { sidecar, controlPlane } = rig;
  const sidecarBefore = sidecar.cpuSeconds();
  const controlBefore = totalCpu(controlPlane.processes);
  const { p50, p99, max } = await arrived(rig.app, count);
  await pause(SETTLE_MS);
  return {
    opsPerSecond: (count * 1000) / max,
    cpuMicros: ((sidecar.cpuSeconds() - sidecarBefore) * 1e6) / count,
    controlMicros: ((totalCpu(controlPlane.processes) - controlBefore) * 1e6) / count,
    p50Ms: p50,
    p99Ms: p99,
    maxMs: max,
    rssMb: residentMb(sidecar.pid).total,
    opsPerSync: Number.NaN,
    actorBytes: Number.NaN,
  };
}

async function measureIdle(rig: Rig, request: LoadRequest, count: number, connections: number): Promise<Sample> {
  const { sidecar } = rig;
  const target = targetOf(request, sidecar);
  await runBatch(target, connections, WARM_UP_ACTORS);
  await pause(MEMORY_SETTLE_MS);
  const before = residentMb(sidecar.pid).anonymous;
  const cpuBefore = sidecar.cpuSeconds();
  const startMs = performance.now();
  await runBatch(target, connections, count);
  const seconds = (performance.now() - startMs) / 1000;
  const cpu = sidecar.cpuSeconds() - cpuBefore;
  await pause(MEMORY_SETTLE_MS);
  const { total, anonymous } = residentMb(sidecar.pid);
  return {
    opsPerSecond: count / seconds,
    cpuMicros: (cpu * 1e6) / count,
    controlMicros: Number.NaN,
    p50Ms: Number.NaN,
    p99Ms: Number.NaN,
    maxMs: Number.NaN,
    rssMb: total,
    opsPerSync: Number.NaN,
    actorBytes: ((anonymous - before) * MB) / count,
  };
}

/** Registers triggers that are due at the next whole second after `leadMs`. @returns when, and what was left until then */
async function register(
  { sidecar, app }: Rig,
  request: LoadRequest,
  count: number,
  connections: number,
  leadMs: number,
): Promise<{ readonly dueMs: number; readonly leftMs: number }> {
  const dueMs = Math.ceil((Date.now() + leadMs) / 1000) * 1000;
  await ask(app, `due/${dueMs}`);
  const body = Buffer.from(
    Buffer.from(request.body ?? [])
      .toString()
      .replace(DUE_MARK, new Date(dueMs).toISOString()),
  );
  await runBatch(targetOf({ ...request, body }, sidecar), connections, count);
  return { dueMs, leftMs: dueMs - Date.now() };
}

async function arrived(app: RunningProcess, count: number): Promise<Arrivals> {
  const untilMs = performance.now() + ARRIVALS_MS_MAX;
  for (;;) {
    const arrivals = (await ask(app, "arrivals")) as Arrivals;
    if (arrivals.count >= count) {
      if (arrivals.count > count) process.stderr.write(`${arrivals.count - count} of ${count} triggers came twice\n`);
      return arrivals;
    }
    if (performance.now() > untilMs) {
      throw new Error(`of ${count} triggers ${arrivals.count} have come within ${ARRIVALS_MS_MAX} ms`);
    }
    await pause(ARRIVALS_POLL_MS);
  }
}

/** Resolves when actors can be called, reminders registered and jobs scheduled. */
async function ready({ port }: RunningProcess): Promise<void> {
  const untilMs = performance.now() + READY_MS_MAX;
  const late = { method: "POST", body: '{"dueTime":"240h"}', headers: { "content-type": "application/json" } };
  const probes: readonly [string, RequestInit][] = [
    ["actors/bench/ready/method/echo", { method: "PUT" }],
    ["actors/bench/ready/reminders/ready", late],
    ["jobs/ready", { ...late, body: '{"dueTime":"240h","overwrite":true}' }],
  ];
  for (const [path, init] of probes) {
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${port}/v1.0/${path}`, init);
      const text = await answer.text();
      if (answer.ok) {
        break;
      }
      if (performance.now() > untilMs) {
        throw new Error(`${path} answers ${answer.status} ${text}`);
      }
      await pause(READY_POLL_MS);
    }
  }
}

async function ask({ port }: RunningProcess, what: string): Promise<unknown> {
  return await (await fetch(`http://127.0.0.1:${port}/bench/${what}`)).json();
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
