// `npm run soak`: mixed load at half of saturation on the embedded back ends, with docs/reports/soak.md as its outcome.
// `npm run soak -- --minutes 60` is the long form.
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { cpus } from "node:os";
import { dirname, resolve } from "node:path";
import { parseArgs } from "node:util";
import { until } from "../harness/until.ts";
import { EventLedger, MixedLoad } from "./mixed-load.ts";
import { startSoaked } from "./soaked-sidecars.ts";

/** Memory is compared between this minute and the end, by at most this factor. */
const FIRST_LOOK_MINUTES = 5;
const GROWTH_MAX = 1.1;

const LANES = 16;
const SATURATION_SECONDS = 15;
/** What is published arrives within this long after the load has ended. */
const DRAIN_MS = 60_000;

const REPORT = resolve(import.meta.dirname, "../../docs/reports/soak.md");

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "20" }, report: { type: "string", default: REPORT } },
});
const minutes = Number(values.minutes);
const firstLook = Math.min(FIRST_LOOK_MINUTES, minutes / 4);

const ledger = new EventLedger();
const app = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (part: string) => (body += part));
  request.on("end", () => {
    if (request.url === "/dapr/subscribe") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify([{ pubsubname: "broker", topic: "soak", route: "/events" }]));
    } else if (request.url === "/events") {
      ledger.arrived((JSON.parse(body) as { readonly data: string }).data);
      response.end();
    } else {
      response.end(body);
    }
  });
});
app.listen(0, "127.0.0.1");
await once(app, "listening");

await using sidecars = await startSoaked((app.address() as AddressInfo).port);
const load = new MixedLoad(sidecars.url, ledger, LANES);
const alive = <T>(work: Promise<T>): Promise<T> => Promise.race([work, sidecars.failed]);
const arrivedAll = () => until("all published events have arrived", () => ledger.missing.size === 0, DRAIN_MS);

const saturation = await alive(load.saturate(SATURATION_SECONDS));
await alive(arrivedAll());
const perSecond = saturation / 2;
console.log(`saturation ${saturation.toFixed(0)} requests/s; ${minutes} minutes at ${perSecond.toFixed(0)}/s`);
const early = await alive(load.pace(firstLook * 60, perSecond));
const firstMb = await alive(sidecars.collectedMb());
console.log(`minute ${firstLook}: ${early} requests, ${megabytes(firstMb)} MB`);
const late = await alive(load.pace((minutes - firstLook) * 60, perSecond));
await alive(arrivedAll()).catch((error: unknown) => console.error(String(error)));
const lastMb = await alive(sidecars.collectedMb());
console.log(`minute ${minutes}: ${late} requests, ${megabytes(lastMb)} MB`);
load.close();

const grown = lastMb.map((mb, index) => mb / (firstMb[index] ?? mb));
const failures = [
  ...(ledger.missing.size === 0 ? [] : [`${ledger.missing.size} published events did not arrive`]),
  ...grown.flatMap((factor, index) =>
    factor > GROWTH_MAX ? [`sidecar ${index + 1} grew by ${((factor - 1) * 100).toFixed(0)} %`] : [],
  ),
];
const text = [
  "# Soak",
  "",
  `Written by \`npm run soak${values.minutes === "20" ? "" : ` -- --minutes ${values.minutes}`}\` on ` +
    `${new Date().toISOString().slice(0, 10)}: Node ${process.versions.node}, ${cpus().length} CPUs ` +
    `(${cpus()[0]?.model ?? "unknown"}). Verdict: **${failures.length === 0 ? "nothing lost, nothing leaked" : "FAILED"}**.`,
  "",
  "Two sidecars on `state.sqlite`, `state.in-memory`, `pubsub.sqlite`, `lock.sqlite` and `secretstores.local.file`; saves, " +
    "bulk reads, transactions, publishes, invocations, locks and secrets over HTTP, 16 at a time, at half of what goes " +
    "through at most.",
  "",
  "| | |",
  "|---|---|",
  `| saturation | ${saturation.toFixed(0)} requests/s |`,
  `| load | ${(early + late).toLocaleString("en")} requests in ${minutes} minutes |`,
  `| published | ${ledger.published.toLocaleString("en")} events, ${ledger.missing.size} missing, ${ledger.repeated} delivered more than once |`,
  `| memory after a forced collection, minute ${firstLook} | ${megabytes(firstMb)} MB |`,
  `| … minute ${minutes} | ${megabytes(lastMb)} MB (${grown.map((factor) => `${((factor - 1) * 100).toFixed(1)} %`).join(" and ")}) |`,
  "",
  ...failures.map((failure) => `* ${failure}`),
].join("\n");
mkdirSync(dirname(values.report), { recursive: true });
writeFileSync(values.report, `${text.trimEnd()}\n`);
console.log(text);
app.close();
app.closeAllConnections();
process.exitCode = failures.length === 0 ? 0 : 1;

function megabytes(each: readonly number[]): string {
  return each.map((mb) => mb.toFixed(0)).join(" and ");
}
