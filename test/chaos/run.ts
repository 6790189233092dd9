// `npm run chaos`: counters on 20 hosts under kills, stops and restarts for ten minutes, with docs/reports/chaos.md as
// its outcome. Arguments: `--hosts N`, `--minutes N`, `--seed N` for the same faults at about the same moments,
// `--program FILE` for another executable than dist/outrigger.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { redisMissing } from "../harness/redis-server.ts";
import { type ChaosReport, runChaos } from "./chaos.ts";
import type { Fault, Percentiles } from "./history.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const BUILT = resolve(ROOT, "dist/outrigger");
const ACTORS_PER_HOST = 15;
const PACE_MS = 500;
const FAULT_EVERY_MS = 5_000;
const SHOWN_MAX = 20;

const { values } = parseArgs({
  options: {
    hosts: { type: "string", default: "20" },
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    program: { type: "string" },
    report: { type: "string", default: resolve(ROOT, "docs/reports/chaos.md") },
  },
});
if (redisMissing !== undefined) throw new Error(redisMissing);
const program = values.program ?? (existsSync(BUILT) ? BUILT : undefined);
const hosts = Number(values.hosts);
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Math.trunc(Math.random() * 2 ** 32));
console.log(`seed ${seed}, ${program === undefined ? "sources" : "executable"}`);
const report = await runChaos({
  hosts,
  actors: hosts * ACTORS_PER_HOST,
  paceMs: PACE_MS,
  quietMs: Math.min(60_000, minutes * 10_000),
  faultsMs: minutes * 60_000,
  faultEveryMs: FAULT_EVERY_MS,
  seed,
  program,
  print: (line) => console.log(line),
});
const failures = failuresOf(report);
const text = textOf(report);
mkdirSync(dirname(values.report), { recursive: true });
writeFileSync(values.report, text);
console.log(text);
process.exit(failures.length === 0 ? 0 : 1);

function failuresOf({ verdict, waits, needlessWaits, unreadable }: ChaosReport): string[] {
  return [
    ...verdict.lost.map((one) => `lost: ${one}`),
    ...verdict.doubled.map((one) => `counted twice: ${one}`),
    ...verdict.unknown.map((one) => `never sent: ${one}`),
    ...verdict.unmovedErrors.map(
      ({ actor, op, startMs, endMs, error }) =>
        `an error at an actor that did not move: actor ${actor}, operation ${op}, ${startMs.toFixed(0)}–${endMs.toFixed(0)} ms: ${error}`,
    ),
    ...unreadable,
    ...(waits > 0 ? [] : ["no call waited for a change of membership, which the counter should have shown"]),
    ...(needlessWaits === 0 ? [] : [`${needlessWaits} calls of actors that did not move waited`]),
  ];
}

function textOf({ verdict, faults, quiet, waits, needlessWaits }: ChaosReport): string {
  const given = [
    ...(values.hosts === "20" ? [] : [`--hosts ${hosts}`]),
    ...(values.minutes === "10" ? [] : [`--minutes ${minutes}`]),
  ];
  const of = (kind: Fault["kind"]): number => faults.filter((fault) => fault.kind === kind).length;
  const row = (name: string, { count, p50, p99, max }: Percentiles): string =>
    `| ${name} | ${count.toLocaleString("en")} | ${p50.toFixed(1)} | ${p99.toFixed(1)} | ${max.toFixed(0)} |`;
  const lines = [
    "# Chaos",
    "",
    `Written by \`npm run chaos${given.length === 0 ? "" : ` -- ${given.join(" ")}`}\` ` +
      `(seed ${seed}) on ${new Date().toISOString().slice(0, 10)}: Node ${process.versions.node}, ${cpus().length} CPUs ` +
      `(${cpus()[0]?.model ?? "unknown"}). Verdict: **${failures.length === 0 ? "nothing lost, nothing counted twice" : "FAILED"}**.`,
    "",
    `${hosts} hosts, each a sidecar and its app in processes of their own, one placement service, Redis as the state store; ` +
      `${hosts * ACTORS_PER_HOST} counters, each called every ${PACE_MS} ms through two sidecars to which nothing is done. ` +
      "A call is one operation, sent once, and one state transaction; nobody repeats it but the runtime.",
    "",
    "| | |",
    "|---|---|",
    `| faults in ${minutes} minutes | ${faults.length}: ${of("kill")} SIGKILL, ${of("kill sidecar")} SIGKILL of the sidecar alone, ${of("freeze both")} SIGSTOP of both, ${of("freeze sidecar")} SIGSTOP of the sidecar, ${of("restart")} restarts |`,
    `| calls | ${verdict.calls.toLocaleString("en")}, ${verdict.acknowledged.toLocaleString("en")} acknowledged, ${verdict.failed} errors |`,
    `| acknowledged and lost | ${verdict.lost.length} |`,
    `| counted twice | ${verdict.doubled.length} |`,
    `| errors at actors that did not move | ${verdict.unmovedErrors.length} |`,
    `| calls of moving actors that waited, at the processes alive in the end | ${waits} |`,
    `| calls of actors that did not move that waited for a change of membership | ${needlessWaits} |`,
    "",
    "| milliseconds | calls | p50 | p99 | max |",
    "|---|---|---|---|---|",
    row("without faults", quiet),
    row("with faults, actors that did not move", verdict.unmovedLatency),
    row("with faults, all that were answered", verdict.latency),
    ...[...verdict.recovery].map(([kind, times]) =>
      row(`from ${kind} until an actor of that host answered again`, times),
    ),
    "",
    ...failures.slice(0, SHOWN_MAX).map((failure) => `* ${failure}`),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}
