// `node test/crash/run-reminders.ts`: 100,000 reminders that are due in the same minute, without faults and with the
// scheduler killed, with docs/reports/reminders.md as the outcome. Needs dist/outrigger, or another one as --program.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { installed } from "../executable/program.ts";
import { type DueRemindersReport, runDueReminders } from "./due-reminders.ts";

const { values } = parseArgs({
  options: {
    reminders: { type: "string", default: "100000" },
    "spread-s": { type: "string", default: "59" },
    kills: { type: "string", default: "8" },
    program: { type: "string" },
    seed: { type: "string", default: String(Math.trunc(Math.random() * 2 ** 32)) },
    report: { type: "string", default: resolve(import.meta.dirname, "../../docs/reports/reminders.md") },
  },
});
/** Of the firings, with kills. */
const REPEATED_SHARE_MAX = 0.01;

using copy = values.program === undefined ? installed() : undefined;
const plan = {
  reminders: Number(values.reminders),
  spreadMs: Number(values["spread-s"]) * 1_000,
  seed: Number(values.seed),
  program: values.program ?? copy?.program,
  onProgress: (text: string) => console.log(text),
};
const reports: readonly (readonly [number, DueRemindersReport])[] = [
  [0, await runDueReminders({ ...plan, kills: 0 })],
  [Number(values.kills), await runDueReminders({ ...plan, kills: Number(values.kills) })],
];
const faults = reports.flatMap(([kills, report]) => faultsOf(kills, report));
const text = [
  "# Reminders that are due in the same minute",
  "",
  `Written by \`node test/crash/run-reminders.ts --reminders ${values.reminders} --spread-s ${values["spread-s"]} --kills ${values.kills} --seed ${values.seed}\` ` +
    `on ${new Date().toISOString().slice(0, 10)}: Node ${process.versions.node}, ${cpus().length} CPUs (${cpus()[0]?.model ?? "unknown"}). ` +
    `Verdict: **${faults.length === 0 ? "as promised" : faults.join("; ")}**.`,
  "",
  "One placement service, one scheduler, one sidecar and its app, all on one machine. The scheduler is killed (SIGKILL) at random moments while the reminders are due, and started again on its data at once. Every actor has 50 of the reminders. Promised: each exactly once without faults; with kills each at least once, and fewer than one in a hundred again; none before its time.",
  "",
  `| | ${reports.map(([kills]) => `${kills} kills`).join(" | ")} |`,
  `|---|${reports.map(() => "---|").join("")}`,
  ...rows(reports.map(([, report]) => report)).map(([name, ...cells]) => `| ${name} | ${cells.join(" | ")} |`),
  "",
].join("\n");
mkdirSync(dirname(values.report), { recursive: true });
writeFileSync(values.report, text);
console.log(text);
process.exitCode = faults.length === 0 ? 0 : 1;

function faultsOf(kills: number, { fired, missing, early, repeated }: DueRemindersReport): string[] {
  const repeatedMax = kills === 0 ? 0 : fired * REPEATED_SHARE_MAX;
  return [
    ...(missing > 0 ? [`${missing} never fired with ${kills} kills`] : []),
    ...(early > 0 ? [`${early} fired early with ${kills} kills`] : []),
    ...(repeated > repeatedMax ? [`${repeated} of ${fired} firings were repetitions with ${kills} kills`] : []),
  ];
}

function rows(all: readonly DueRemindersReport[]): string[][] {
  const row = (name: string, cell: (report: DueRemindersReport) => string): string[] => [name, ...all.map(cell)];
  return [
    row("registered", ({ registered }) => String(registered)),
    row("registered a second", ({ registeredPerSecond }) => registeredPerSecond.toFixed(0)),
    row("fired", ({ fired }) => String(fired)),
    row("never fired", ({ missing }) => String(missing)),
    row("fired before they were due", ({ early }) => String(early)),
    row("fired again", ({ repeated, fired }) => `${repeated} (${((repeated / fired) * 100).toFixed(2)} %)`),
    row("lateness, p50 / p99 / max, ms", ({ lateness: { p50, p99, max } }) => `${p50} / ${p99} / ${max}`),
    row("scheduler away, each, ms", ({ outagesMs }) => outagesMs.map((ms) => ms.toFixed(0)).join(", ") || "–"),
  ];
}
