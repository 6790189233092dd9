import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Candidate } from "./candidate.ts";
import { freePort, type RunningProcess, startProcess } from "./running-process.ts";

/** Placement and scheduler of a candidate, as processes of their own. */
export interface ControlPlane {
  /** In the order in which they were started. */
  readonly processes: readonly RunningProcess[];
  /** What a sidecar must be told to use them. */
  readonly sidecarFlags: readonly string[];
  /** The scheduler's folder. */
  readonly dataDir: string;
  stop(): Promise<void>;
}

/** @param folder where the scheduler keeps its jobs, in a folder of its own */
export async function startControlPlane(candidate: Candidate, folder: string): Promise<ControlPlane> {
  const dataDir = join(folder, "scheduler");
  mkdirSync(dataDir);
  const placement = await startPlacement(candidate);
  let scheduler: RunningProcess;
  try {
    scheduler = await startScheduler(candidate, dataDir);
  } catch (error) {
    await placement.stop();
    throw error;
  }
  return {
    processes: [placement, scheduler],
    sidecarFlags: [
      `--placement-host-address=127.0.0.1:${placement.port}`,
      `--scheduler-host-address=127.0.0.1:${scheduler.port}`,
    ],
    dataDir,
    async stop() {
      await scheduler.stop();
      await placement.stop();
    },
  };
}

async function startPlacement({ path, placement }: Candidate): Promise<RunningProcess> {
  const [port, health, metrics, member] = await freePorts();
  const flags = [`--initial-cluster=dapr-placement-0=127.0.0.1:${member}`, "--id=dapr-placement-0"];
  const args = [...(placement === undefined ? ["placement"] : []), ...sharedFlags(port, health, metrics), ...flags];
  return { ...(await startProcess(placement ?? path, args, health, "/healthz", 200)), port };
}

async function startScheduler({ path, scheduler }: Candidate, dataDir: string): Promise<RunningProcess> {
  const [port, health, metrics, peer] = await freePorts();
  const flags = [
    "--id=dapr-scheduler-server-0",
    `--etcd-initial-cluster=dapr-scheduler-server-0=http://127.0.0.1:${peer}`,
    `--etcd-client-port=${await freePort()}`,
    `--etcd-data-dir=${dataDir}`,
  ];
  const args = [...(scheduler === undefined ? ["scheduler"] : []), ...sharedFlags(port, health, metrics), ...flags];
  return { ...(await startProcess(scheduler ?? path, args, health, "/healthz", 200)), port };
}

/** What all roles of a control plane are told. */
export function sharedFlags(port: number, health: number, metrics: number): string[] {
  return [
    `--port=${port}`,
    "--listen-address=127.0.0.1",
    `--healthz-port=${health}`,
    "--healthz-listen-address=127.0.0.1",
    `--metrics-port=${metrics}`,
    "--metrics-listen-address=127.0.0.1",
    "--log-level=warn",
  ];
}

async function freePorts(): Promise<[number, number, number, number]> {
  return await Promise.all([freePort(), freePort(), freePort(), freePort()]);
}
