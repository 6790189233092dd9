import { writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { type Candidate, FEATURES, parseCandidate } from "./candidate.ts";
import { syncMs } from "./disk.ts";
import {
  type Effort,
  type Sample,
  type StartSample,
  dropFromPageCache,
  measureEcho,
  measureOperation,
  measureProxy,
  measureStart,
} from "./measure.ts";
import { OPERATIONS } from "./operations.ts";
import type { Operation } from "./operation.ts";
import { measureStateful } from "./stateful.ts";
import { type OperationReport, type Report, markdown, spread, spreads } from "./report.ts";

const HELP = `Usage: node bench/run.ts --candidate NAME=PATH [--candidate …] [options]

Measures daprd-compatible executables side by side, interleaved, with the yardsticks E and P in the same rounds.

  --candidate NAME[+FEATURE…]=PATH[,PLACEMENT,SCHEDULER[,SENTRY]]
                          an executable that takes daprd's flags; may be repeated. Rows of actors, reminders and jobs start
                          its placement and scheduler beside it; without paths, the roles of the executable itself.
                          Features, for the other rows: ${FEATURES.join(", ")}
  --operations A,B        of: ${OPERATIONS.map((operation) => operation.name).join(", ")} (all)
  --rounds N              interleaved rounds (5)
  --seconds N             seconds per measurement (3)
  --connections N         keep-alive connections (32)
  --json FILE             writes the report as JSON
  --markdown FILE         writes the table; it is printed in any case
`;

const { values } = parseArgs({
  options: {
    candidate: { type: "string", multiple: true, default: [] },
    operations: { type: "string", default: OPERATIONS.map((operation) => operation.name).join(",") },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    connections: { type: "string", default: "32" },
    json: { type: "string" },
    markdown: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (values.help || values.candidate.length === 0) {
  process.stdout.write(HELP);
  process.exit(values.help ? 0 : 2);
}

const candidates = values.candidate.map(parseCandidate);
const operations = values.operations.split(",").map(parseOperation);
const rounds = Number(values.rounds);
const effort: Effort = { connections: Number(values.connections), warmupSeconds: 1, seconds: Number(values.seconds) };

const echo: Sample[] = [];
const proxy: Sample[] = [];
const starts = new Map<string, StartSample[]>();
const samples = new Map<string, Sample[]>();
for (let round = 1; round <= rounds; round += 1) {
  process.stderr.write(`round ${round} of ${rounds}\n`);
  echo.push(await measureEcho(effort, 5000));
  proxy.push(await measureProxy(effort, 1000));
  for (const candidate of candidates) {
    dropFromPageCache(candidate.path);
    await measureStart(candidate);
    add(starts, candidate.name, await measureStart(candidate));
  }
  for (const operation of operations) {
    for (const candidate of candidates) {
      const measure = operation.topology === "stateful" ? measureStateful : measureOperation;
      add(samples, `${operation.name} ${candidate.name}`, await measure(candidate, operation, effort));
    }
  }
}

const report = makeReport();
const table = markdown(report, operations);
process.stdout.write(table);
if (values.markdown !== undefined) {
  writeFileSync(values.markdown, table);
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`);
}

function makeReport(): Report {
  const yardsticks = {
    E: spread(echo.map((sample) => sample.cpuMicros)),
    P: spread(proxy.map((sample) => sample.cpuMicros)),
  };
  const rounded = (operation: Operation): Sample[] => (operation.yardstick === "E" ? echo : proxy);
  const operationReport = (operation: Operation, candidate: Candidate): OperationReport => {
    const own = samples.get(`${operation.name} ${candidate.name}`) ?? [];
    const base = rounded(operation);
    return {
      ...spreads(own),
      yardsticks: spread(own.map((sample, index) => allMicros(sample) / (base[index]?.cpuMicros ?? Number.NaN))),
    };
  };
  return {
    command: `node bench/run.ts ${process.argv.slice(2).map(shorten).join(" ")}`,
    machine: {
      cpus: cpus().length,
      model: cpus()[0]?.model ?? "unknown",
      node: process.versions.node,
      date: new Date().toISOString().slice(0, 10),
    },
    rounds,
    syncMs: syncMs(tmpdir()),
    yardsticks,
    starts: Object.fromEntries(
      candidates.map((candidate) => [candidate.name, spreads(starts.get(candidate.name) ?? [])]),
    ),
    operations: Object.fromEntries(
      operations.map((operation) => [
        operation.name,
        Object.fromEntries(candidates.map((candidate) => [candidate.name, operationReport(operation, candidate)])),
      ]),
    ),
  };
}

function allMicros({ cpuMicros, controlMicros }: Sample): number {
  return cpuMicros + (Number.isNaN(controlMicros) ? 0 : controlMicros);
}

/** Paths outside the project say nothing to a reader. */
function shorten(argument: string): string {
  const [name, paths] = argument.split("=");
  return paths === undefined || !paths.startsWith("/")
    ? argument
    : `${name}=${paths
        .split(",")
        .map((path) => `…/${path.split("/").at(-1)}`)
        .join(",")}`;
}

function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key) ?? [];
  list.push(value);
  map.set(key, list);
}

function parseOperation(name: string): Operation {
  const operation = OPERATIONS.find((candidate) => candidate.name === name);
  if (operation === undefined) {
    throw new Error(
      `no operation ${JSON.stringify(name)}; there are ${OPERATIONS.map((each) => each.name).join(", ")}`,
    );
  }
  return operation;
}
