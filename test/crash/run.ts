// `npm run crash`: the full crash runs, with docs/reports/crash.md as their outcome. Arguments: the number of kills of
// each series, and a seed to repeat a run. Needs dist/outrigger.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { installed } from "../executable/program.ts";
import { type CrashReport, runCrashes } from "./crashes.ts";
import { crashPubSub, type PubSubCrashReport } from "./pubsub-crash.ts";
import { traceSaves, withoutTrace } from "./sync-proof.ts";
import type { SyncTrace } from "./sync-trace.ts";

/** Kills that count are those under at least 1,000 writes a second; a few more make up for pauses of the machine. */
const KILLS_WANTED = 200;
const KILLS_DEFAULT = 215;
const TRACED_SAVES = 1_000;
const REPORT = resolve(import.meta.dirname, "../../docs/reports/crash.md");

const kills = Number(process.argv[2] ?? KILLS_DEFAULT);
const seed = Number(process.argv[3] ?? Math.trunc(Math.random() * 2 ** 32));
const startedMs = performance.now();

using copy = installed();
console.log(`state.sqlite: ${kills} kills, seed ${seed}`);
let count = 0;
const state = await runCrashes({
  program: copy.program,
  args: [],
  kills,
  seed,
  onKill: ({ acked, inFlight, missing, torn }) => {
    count += 1;
    const wrong = missing.length + torn.length === 0 ? "" : `, ${missing.length} MISSING, ${torn.length} TORN`;
    if (count % 20 === 0 || wrong !== "")
      console.log(`kill ${count}: ${acked} acknowledged, ${inFlight} in flight${wrong}`);
  },
});
const noTrace = withoutTrace();
const trace = noTrace === undefined ? await traceSaves(copy.program, [], TRACED_SAVES) : undefined;
console.log(`pubsub.sqlite: ${kills} kills`);
const pubsub = await crashPubSub(kills);

const failures = [...faultsOf(state), ...faultsOfPubSub(pubsub), ...(trace?.unsynced ?? [])];
const text = [
  "# Crash runs",
  "",
  `Written by \`npm run crash\` on ${new Date().toISOString().slice(0, 10)}: Node ${process.versions.node}, ` +
    `${cpus().length} CPUs (${cpus()[0]?.model ?? "unknown"}), ${((performance.now() - startedMs) / 1_000).toFixed(0)} s. ` +
    `Verdict: **${failures.length === 0 ? "nothing lost, nothing torn" : "FAILED"}**.`,
  "",
  ...stateSection(state),
  ...traceSection(trace, noTrace),
  ...pubsubSection(pubsub),
  ...(failures.length === 0 ? [] : ["## Failures", "", ...failures.slice(0, 100).map((one) => `* ${one}`), ""]),
].join("\n");
mkdirSync(join(REPORT, ".."), { recursive: true });
writeFileSync(REPORT, text);
console.log(text);
process.exitCode = failures.length === 0 ? 0 : 1;

function faultsOf(report: CrashReport): string[] {
  return [
    ...report.missing.map((one) => `missing: ${one}`),
    ...report.torn.map((one) => `torn: ${one}`),
    ...report.refused.map((status) => `a write was answered ${status}`),
    ...(report.integrity === "ok" ? [] : [`integrity_check: ${report.integrity}`]),
    ...(report.inFlightShare >= 0.9 ? [] : ["fewer than 90 % of the kills hit writes in flight"]),
    ...(killsUnderLoad(report) >= Math.min(kills, KILLS_WANTED)
      ? []
      : [`only ${killsUnderLoad(report)} kills came under at least 1,000 writes a second`]),
  ];
}

function faultsOfPubSub(report: PubSubCrashReport): string[] {
  return [
    ...report.missing.map((number) => `message ${number} was acknowledged and never delivered`),
    ...report.torn,
    ...(report.killsInFlight >= report.kills * 0.9 ? [] : ["fewer than 90 % of the kills hit publishes in flight"]),
    ...(report.publishesPerSecond >= 1_000 ? [] : ["fewer than 1,000 publishes a second"]),
  ];
}

function killsUnderLoad(report: CrashReport): number {
  return report.kills.filter((kill) => kill.perSecond >= 1_000).length;
}

function stateSection(report: CrashReport): string[] {
  const inFlight = report.kills.map((kill) => kill.inFlight).toSorted((a, b) => a - b);
  return [
    "## state.sqlite",
    "",
    "The executable serves two writer processes over HTTP, 16 connections, each always with a write on its way: saves of 1 KB and, every fourth, a transaction on two rows. " +
      "At a random moment the sidecar is killed (SIGKILL) and started again on the same file; then every row is read and compared with what the writers have logged as sent and as acknowledged.",
    "",
    "| | |",
    "|---|---|",
    `| seed | ${report.seed} |`,
    `| kills | ${report.kills.length} |`,
    `| kills with writes in flight | ${report.kills.filter((kill) => kill.inFlight > 0).length} (${(report.inFlightShare * 100).toFixed(1)} %) |`,
    `| writes in flight at a kill, median (min–max) | ${inFlight[Math.floor(inFlight.length / 2)]} (${inFlight[0]}–${inFlight.at(-1)}) |`,
    `| writes acknowledged | ${report.acked} |`,
    `| acknowledged writes a second, median over the kills | ${report.perSecondMedian.toFixed(0)} |`,
    `| kills with at least 1,000 acknowledged writes a second before them | ${killsUnderLoad(report)} |`,
    `| rows compared after the last kill | ${report.kills.at(-1)?.rows ?? 0} |`,
    `| acknowledged writes missing | ${report.missing.length} |`,
    `| torn rows, half transactions | ${report.torn.length} |`,
    `| \`PRAGMA integrity_check\` at the end | ${report.integrity} |`,
    "",
  ];
}

function traceSection(report: SyncTrace | undefined, why: string | undefined): string[] {
  const head = ["## fsync before the answer", ""];
  if (report === undefined) return [...head, `Not traced: ${why}.`, ""];
  return [
    ...head,
    "A kill leaves the system's page cache alone, so it says nothing about a loss of power. " +
      "A trace of the system calls does: for every sampled save, an fsync of the write-ahead log begins after the request has been read from its socket and is completed before the answer is written to it.",
    "",
    "| | |",
    "|---|---|",
    `| saves sampled, from 8 clients at once | ${report.samples} |`,
    `| without such an fsync | ${report.unsynced.length} |`,
    `| fsyncs of the log | ${report.syncs} (${(report.samples / report.syncs).toFixed(1)} saves per fsync) |`,
    "",
    "The calls of one of them, threads by their ids:",
    "",
    "```text",
    ...report.excerpt.map((line) => line.replaceAll(/<\/[^>]*\/([^/>]*)>/g, "<…/$1>").slice(0, 150)),
    "```",
    "",
  ];
}

function pubsubSection(report: PubSubCrashReport): string[] {
  return [
    "## pubsub.sqlite",
    "",
    "A process publishes numbered messages, 64 at a time, and takes messages as a replica of one consumer; it is killed at random moments and started again on the same file. Everything it does is told outside of it. At the end what is left is taken, and compared.",
    "",
    "| | |",
    "|---|---|",
    `| kills | ${report.kills} |`,
    `| kills with publishes in flight | ${report.killsInFlight} (${((report.killsInFlight / report.kills) * 100).toFixed(1)} %) |`,
    `| publishes acknowledged | ${report.acknowledged} |`,
    `| acknowledged publishes a second | ${report.publishesPerSecond} |`,
    `| acknowledged messages never delivered | ${report.missing.length} |`,
    `| deliveries beyond the first of a message (at least once) | ${report.repeated} |`,
    `| messages in hand at the last kill | ${report.inHand} |`,
    `| longest time from that kill to their delivery to another process, with a processingTimeout of 1 s | ${report.redeliveredMs} ms |`,
    `| torn messages | ${report.torn.length} |`,
    "",
  ];
}
