// `node scripts/run.mjs test/soak/cardinality.ts [--names 1000000]`: whether a sidecar grows with the names that its callers make up:
// paths, topics and actor ids by the million, and others by the ten thousand. Writes docs/reports/cardinality.md.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { SERIES_PER_METRIC_MAX } from "../../src/telemetry/metrics/registry.ts";
import { callNames, type NamedCall } from "./name-load.ts";
import { startNamedSidecar } from "./named-sidecar.ts";

/** Memory after all names may be this much more than after the first hundredth of them. */
const GROWTH_MB_MAX = 16;
/** Of all names, so many may be answered otherwise: a busy machine closes an idle connection of the app just when it is used. */
const SURPRISES_MAX = 0.001;
const REPORT = resolve(import.meta.dirname, "../../docs/reports/cardinality.md");

const { values } = parseArgs({
  options: { names: { type: "string", default: "1000000" }, report: { type: "string", default: REPORT } },
});
const names = Number(values.names);
const few = Math.max(1, Math.round(names / 50));

/** What callers can name, how many of it, and a call with it. */
const KINDS: readonly (readonly [kind: string, count: number, call: NamedCall])[] = [
  ["paths of the app", names, { method: "GET", path: (n) => `/v1.0/invoke/named/method/path-${n}`, status: 200 }],
  ["topics", names, { method: "POST", path: (n) => `/v1.0/publish/broker/topic-${n}`, body: () => "x", status: 204 }],
  ["actor ids", names, { method: "PUT", path: (n) => `/v1.0/actors/named/id-${n}/method/m`, status: 200 }],
  ["apps that are not there", few, { method: "GET", path: (n) => `/v1.0/invoke/app-${n}/method/m`, status: 500 }],
  ["state keys read", few, { method: "GET", path: (n) => `/v1.0/state/store/key-${n}`, status: 204 }],
  ["stores that are not there", few, { method: "GET", path: (n) => `/v1.0/state/store-${n}/key`, status: 400 }],
  [
    "operations of a binding",
    few,
    { method: "POST", path: () => "/v1.0/bindings/files", body: (n) => `{"operation":"op-${n}"}`, status: 500 },
  ],
  ["paths of no API", few, { method: "GET", path: (n) => `/v9/nothing-${n}`, status: 404 }],
];

await using sidecar = await startNamedSidecar();
const started = performance.now();
let surprises = 0;
const run = async (part: number, to: number): Promise<void> => {
  for (const [kind, count, call] of KINDS) {
    const since = performance.now();
    const { count: others, last } = await callNames(
      sidecar.port,
      call,
      Math.round(count * part),
      Math.round(count * to),
    );
    if (others > 0) {
      surprises += others;
      console.log(`${kind}: ${others} answers were not ${call.status}; the last:\n${last}`);
    }
    console.log(`${kind}: up to ${Math.round(count * to)} in ${((performance.now() - since) / 1000).toFixed(1)} s`);
  }
};

await run(0, 0.01);
const first = await sidecar.collectedMb();
const heapFirst = heapMb((await sidecar.scrape()).text);
console.log(`after a hundredth: ${first.toFixed(0)} MB`);
await run(0.01, 1);
const last = await sidecar.collectedMb();
const heapLast = heapMb((await sidecar.scrape()).text);
const { bytes, ms, series, text: exposition } = await sidecar.scrape();
const minutes = (performance.now() - started) / 60_000;
const dropped = [...exposition.matchAll(/^outrigger_metric_series_dropped_total\{metric="([^"]+)"\} (\S+)$/gm)];
const grown = last - first;
const flat = grown <= GROWTH_MB_MAX && surprises < names * SURPRISES_MAX;
const report = [
  "# Names by the million",
  "",
  `Written by \`node scripts/run.mjs test/soak/cardinality.ts${names === 1_000_000 ? "" : ` --names ${names}`}\` on ` +
    `${new Date().toISOString().slice(0, 10)}: Node ${process.versions.node}, ${cpus().length} CPUs ` +
    `(${cpus()[0]?.model ?? "unknown"}), ${minutes.toFixed(1)} minutes. Verdict: **${flat ? "flat" : "FAILED"}**.`,
  "",
  "One sidecar with metrics at their default, which shows paths; every call has a name that was never used before.",
  "",
  "| names | calls |",
  "|---|---|",
  ...KINDS.map(([kind, count]) => `| ${kind} | ${count.toLocaleString("en")} |`),
  "",
  "| | |",
  "|---|---|",
  `| resident memory after a hundredth of them and a forced collection | ${first.toFixed(0)} MB |`,
  `| … after all of them | ${last.toFixed(0)} MB (${grown >= 0 ? "+" : ""}${grown.toFixed(0)} MB) |`,
  `| JavaScript heap in use then | ${heapFirst.toFixed(0)} MB and ${heapLast.toFixed(0)} MB |`,
  `| answers that were not as expected | ${surprises} |`,
  `| one scrape then | ${series.toLocaleString("en")} lines, ${(bytes / 1e6).toFixed(1)} MB, ${ms.toFixed(0)} ms |`,
  "",
  `A metric has ${SERIES_PER_METRIC_MAX.toLocaleString("en")} series at most. Counted under \`other\`:`,
  "",
  "| metric | observations |",
  "|---|---|",
  ...dropped.map(([, metric = "", count = ""]) => `| \`${metric}\` | ${Number(count).toLocaleString("en")} |`),
  "",
].join("\n");
mkdirSync(dirname(values.report), { recursive: true });
writeFileSync(values.report, report);
console.log(report);
process.exitCode = flat ? 0 : 1;

function heapMb(exposition: string): number {
  return Number(/^nodejs_heap_size_used_bytes (\S+)$/m.exec(exposition)?.[1]) / 1e6;
}
