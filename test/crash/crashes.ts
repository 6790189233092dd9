import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { type RunningSidecar, startSidecar } from "../executable/program.ts";
import { component } from "../harness/resources.ts";
import { until } from "../harness/until.ts";
import { seededRandom } from "../../src/kit/seeded-random.fixture.ts";
import { Ledger, type Verdict } from "./ledger.ts";
import type { WriterReport } from "./writer.ts";

/** A run is the same kills at the same moments when its seed is. */
export interface CrashPlan {
  /** The executable, and arguments before the sidecar's. */
  readonly program: string;
  readonly args: readonly string[];
  readonly kills: number;
  readonly seed: number;
  /** Told about every kill. */
  readonly onKill?: (kill: Kill) => void;
}

export interface Kill extends Verdict {
  readonly afterMs: number;
  readonly acked: number;
  readonly perSecond: number;
  /** Writes that were sent and not answered when the sidecar died. */
  readonly inFlight: number;
}

export interface CrashReport {
  readonly seed: number;
  readonly kills: readonly Kill[];
  readonly acked: number;
  readonly inFlightShare: number;
  readonly perSecondMedian: number;
  readonly missing: readonly string[];
  readonly torn: readonly string[];
  readonly refused: readonly number[];
  /** SQLite's own verdict on the file at the end. */
  readonly integrity: string;
}

const WRITERS = ["one", "two"];
/** A kill comes this long after the load began, at random. */
const KILL_MS_MIN = 150;
const KILL_MS_MAX = 700;
/** What the writers have noted before each kill, so that it hits a load on a slow machine too: some hundred writes. */
const NOTED_BYTES_MIN = 4_000;
const LOAD_PATIENCE_MS = 60_000;
const BULK_KEYS = 100;

/** Kills a sidecar that is being written to, again and again, and looks after each restart for what was acknowledged. */
export async function runCrashes(plan: CrashPlan): Promise<CrashReport> {
  const folder = mkdtempSync(join(tmpdir(), "outrigger-crash-"));
  const database = join(folder, "state.db");
  const resources = mkdtempSync(join(folder, "resources-"));
  writeFileSync(join(resources, "store.yaml"), component("store", "state.sqlite", { connectionString: database }));
  const logs = WRITERS.map((name) => join(folder, `${name}.log`));
  const writers = WRITERS.map((name, index) => fork(join(import.meta.dirname, "writer.ts"), [name, logs[index] ?? ""]));
  const ledger = new Ledger(logs);
  const random = seededRandom(plan.seed);
  const start = (): Promise<RunningSidecar> =>
    startSidecar(plan.program, [...plan.args, "sidecar", "--app-id=crash", `--resources-path=${resources}`]);
  const kills: Kill[] = [];
  const refused: number[] = [];
  let sidecar = await start();
  try {
    while (kills.length < plan.kills) {
      const afterMs = KILL_MS_MIN + random() * (KILL_MS_MAX - KILL_MS_MIN);
      const reports = writers.map((writer) => load(writer, sidecar.port));
      const startedMs = performance.now();
      const enough = bytesOf(logs) + NOTED_BYTES_MIN;
      await pause(afterMs);
      await until("the writers are at work", () => bytesOf(logs) >= enough, LOAD_PATIENCE_MS);
      await sidecar.stop("SIGKILL");
      const seconds = (performance.now() - startedMs) / 1_000;
      const counted = await Promise.all(reports);
      refused.push(...counted.flatMap((report) => report.refused));
      sidecar = await start();
      ledger.refresh();
      const verdict = ledger.judge(await rowsOf(sidecar, ledger.keys));
      const acked = sum(counted.map((report) => report.acked));
      const inFlight = sum(counted.map((report) => report.inFlight));
      const kill = { ...verdict, afterMs, acked, perSecond: acked / seconds, inFlight };
      kills.push(kill);
      plan.onKill?.(kill);
    }
    await sidecar.stop("SIGTERM");
    return reportOf(plan.seed, kills, refused, integrityOf(database));
  } finally {
    await sidecar[Symbol.asyncDispose]();
    for (const writer of writers) writer.disconnect();
    rmSync(folder, { recursive: true });
  }
}

async function load(writer: ChildProcess, port: number): Promise<WriterReport> {
  const report = once(writer, "message") as Promise<[WriterReport]>;
  writer.send(port);
  return (await report)[0];
}

async function rowsOf(sidecar: RunningSidecar, keys: readonly string[]): Promise<Map<string, unknown>> {
  const rows = new Map<string, unknown>();
  for (let at = 0; at < keys.length; at += BULK_KEYS) {
    const response = await sidecar.fetch("/v1.0/state/store/bulk", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ keys: keys.slice(at, at + BULK_KEYS) }),
    });
    if (response.status !== 200) throw new Error(`the bulk read answered ${response.status}: ${await response.text()}`);
    for (const { key, data } of (await response.json()) as { key: string; data?: unknown }[]) rows.set(key, data);
  }
  return rows;
}

function reportOf(seed: number, kills: readonly Kill[], refused: readonly number[], integrity: string): CrashReport {
  return {
    seed,
    kills,
    acked: sum(kills.map((kill) => kill.acked)),
    inFlightShare: kills.filter((kill) => kill.inFlight > 0).length / kills.length,
    perSecondMedian: kills.map((kill) => kill.perSecond).toSorted((a, b) => a - b)[Math.floor(kills.length / 2)] ?? 0,
    missing: kills.flatMap((kill) => kill.missing),
    torn: kills.flatMap((kill) => kill.torn),
    refused,
    integrity,
  };
}

function integrityOf(database: string): string {
  const file = new DatabaseSync(database);
  try {
    return String(file.prepare("PRAGMA integrity_check").get()?.["integrity_check"]);
  } finally {
    file.close();
  }
}

function bytesOf(files: readonly string[]): number {
  return sum(files.map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
