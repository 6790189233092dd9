import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type DataFolder, dataFolderAt, prepareDataFolder } from "../../examples/order-management/data-folder.ts";
import { DevProcess } from "../../examples/order-management/dev-process.ts";
import { readOrderFiles } from "../../examples/order-management/replay/order-file.ts";
import type { Counts } from "../../examples/order-management/replay/report.ts";
import { replayOrders } from "../../examples/order-management/replay/run.ts";
import { FAULTS_VARIABLE, type Faults } from "../../examples/order-management/stock/faults.ts";
import { type AuditEnd, runAudit } from "./audit-program.ts";
import { type ResiliencyFigures, ResiliencyWatch } from "./resiliency-watch.ts";
import { startTraceCollector, type TraceCollector } from "../harness/trace-collector.ts";
import { type TraceFigures, tracesOf } from "./trace-figures.ts";
import { writeRunFile } from "./run-file.ts";

export interface FaultRun {
  /** Of the calls to the stock service. */
  readonly faults: Faults;
  readonly orderFiles: readonly string[];
  readonly channels: number;
  readonly ratePerSecond: number;
  readonly separateSidecars: boolean;
  readonly print: (line: string) => void;
}

export interface FaultReport {
  readonly orders: number;
  readonly counts: Counts;
  readonly failures: readonly string[];
  readonly audit: AuditEnd;
  /** Of the breaker of each app that calls stock codes: its states in turn. */
  readonly states: ReadonlyMap<string, readonly string[]>;
  readonly figures: ResiliencyFigures;
  readonly traces: TraceFigures;
  readonly seconds: number;
}

/**
 * Replays orders while calls to the stock service fail and stall. What is left of a run that is not in order stays on the
 * disk; its place is printed.
 */
export async function replayUnderFaults(run: FaultRun): Promise<FaultReport> {
  const folder = dataFolderAt(mkdtempSync(join(tmpdir(), "order-faults-")));
  prepareDataFolder(folder);
  await using collector = await startTraceCollector();
  const otel = { endpointAddress: `127.0.0.1:${collector.grpcPort}`, isSecure: false, protocol: "grpc" };
  const runFile = await writeRunFile(folder.root, {
    configuration: { tracing: { samplingRate: "1", otel } },
    environment: { stock: { [FAULTS_VARIABLE]: JSON.stringify(run.faults) } },
  });
  const dev = new DevProcess({ folder, runFile, separateSidecars: run.separateSidecars, watch: false });
  const stopped = new AbortController();
  const startedMs = performance.now();
  try {
    const report = await runFaults(run, { folder, runFile, dev, collector }, stopped.signal);
    if (isInOrder(report)) rmSync(folder.root, { recursive: true });
    else run.print(`what is left is in ${folder.root}`);
    return { ...report, seconds: (performance.now() - startedMs) / 1_000 };
  } finally {
    stopped.abort();
    await dev.stop();
  }
}

/** The books balance, nobody was left without an answer, and the breaker has opened and closed. */
export function isInOrder({ failures, audit, figures, states }: Omit<FaultReport, "seconds">): boolean {
  return (
    failures.length === 0 &&
    audit.code === 0 &&
    figures.opened > 0 &&
    figures.closed > 0 &&
    states.get("orders")?.at(-1) === "closed"
  );
}

interface System {
  readonly folder: DataFolder;
  readonly runFile: string;
  readonly dev: DevProcess;
  readonly collector: TraceCollector;
}

async function runFaults(
  { orderFiles, channels, ratePerSecond, faults, print }: FaultRun,
  { folder, runFile, dev, collector }: System,
  signal: AbortSignal,
): Promise<Omit<FaultReport, "seconds">> {
  const invoices = readOrderFiles(
    orderFiles.map((path) => ({ name: basename(path), text: readFileSync(path, "utf8") })),
  );
  const facadeUrl = await dev.ready(signal);
  const replay = replayOrders({
    folder,
    facadeUrl,
    invoices,
    channels,
    seed: faults.seed,
    ratePerSecond,
    signal,
    output: { write: (text) => print(text.trimEnd()) },
  });
  const watch = new ResiliencyWatch(runFile);
  const result = await Promise.race([replay, dev.ended(), watch.follow(signal)]);
  // What has stalled is carried out yet, long after its caller has gone: before the books are looked at.
  await delay(faults.stallSeconds * 1_000, undefined, { signal });
  const figures = await watch.figures();
  const audit = await runAudit(folder);
  await dev.stop();
  return {
    orders: invoices.length,
    counts: result.counts,
    failures: [...[...result.failures].map(([name, why]) => `${name}: ${why}`), ...result.open],
    audit,
    states: watch.states,
    figures,
    traces: tracesOf(collector.spans),
  };
}
