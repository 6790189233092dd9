// The whole verification, as `npm test` runs it: steps with their timings, output only of what failed, and one last
// line that can be counted. Arguments name the steps to run; without any, all run.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { RingReport } from "./ring-reporter.ts";

const root = resolve(import.meta.dirname, "..");
const reports = mkdtempSync(join(tmpdir(), "outrigger-verify-"));

/** A step that takes longer hangs; it is killed and has failed. */
const STEP_MS_MAX = 8 * 60_000;

interface Step {
  readonly name: string;
  /** A script for the project's Node and its arguments. */
  readonly command: readonly string[];
  /** Names the file in which a ring of tests reports what it counted. */
  readonly report?: string;
}

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: RingReport["skipped"];
}

function tool(name: string, path: string, ...args: string[]): Step {
  return { name, command: [join(root, "node_modules", path), ...args] };
}

function ring(name: string): Step {
  return {
    name,
    command: [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      "--project",
      name,
      "--reporter=default",
      `--reporter=${join(root, "scripts/ring-reporter.ts")}`,
    ],
    report: join(reports, `${name}.json`),
  };
}

/** Steps of one phase run side by side; a later phase may use what an earlier one made. */
const phases: readonly (readonly Step[])[] = [
  [
    tool("format", "oxfmt/bin/oxfmt", "--check"),
    tool("lint", "oxlint/bin/oxlint"),
    tool("types", "typescript/bin/tsc"),
    tool("dead code", "knip/bin/knip.js"),
    { name: "build", command: [join(root, "scripts/build.ts")] },
    ring("tidy"),
  ],
  [ring("unit")],
  [ring("property"), ring("docs"), ring("simulation")],
  [ring("conformance")],
  [ring("integration")],
  [ring("interop")],
  // Alone, since its bounds are times and processor time.
  [ring("attacks")],
  [ring("examples"), ring("crash")],
  [ring("executable"), ring("compat")],
];

const outcomes: Outcome[] = [];

const running = new Set<ChildProcess>();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    process.exit(1);
  });
}

async function runStep(step: Step): Promise<void> {
  const started = performance.now();
  const child = spawn(process.execPath, step.command, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: STEP_MS_MAX,
    killSignal: "SIGKILL",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, RING_REPORT: step.report },
  });
  running.add(child);
  const output: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  const ended = await new Promise<string>((settle) => {
    child.on("error", (error) => settle(error.message));
    child.on("close", (code, signal) => settle(signal ?? String(code)));
  });
  running.delete(child);
  const seconds = (performance.now() - started) / 1000;

  const outcome = step.report === undefined ? countStep(ended) : countRing(ended, step.report);
  outcomes.push(outcome);
  const counts = step.report === undefined ? "" : `  ${summary(outcome)}`;
  const verdict = outcome.failed > 0 ? "FAIL" : "ok  ";
  console.log(`${verdict} ${step.name.padEnd(12)} ${seconds.toFixed(1).padStart(6)} s${counts}`);
  for (const { name, why } of outcome.skipped)
    console.log(`       skipped: ${name}${why === undefined ? "" : ` (${why})`}`);
  if (outcome.failed > 0) {
    console.log(`---- ${step.name} ended with ${ended}; its output:`);
    process.stdout.write(Buffer.concat(output));
    console.log(`---- end of ${step.name}`);
  }
}

function countStep(ended: string): Outcome {
  return ended === "0" ? { passed: 1, failed: 0, skipped: [] } : { passed: 0, failed: 1, skipped: [] };
}

function countRing(ended: string, report: string): Outcome {
  try {
    const outcome = JSON.parse(readFileSync(report, "utf8")) as RingReport;
    // A ring that counts no failure and yet ends badly has failed outside its tests; one without tests is a mistake.
    const sound = ended === "0" && outcome.passed + outcome.skipped.length > 0;
    return sound || outcome.failed > 0 ? outcome : { ...outcome, failed: 1 };
  } catch {
    return { passed: 0, failed: 1, skipped: [] };
  }
}

function summary({ passed, failed, skipped }: Outcome): string {
  return `${passed} passed, ${failed} failed, ${skipped.length} skipped`;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !phases.flat().some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(
    `no step ${unknown.join(", ")}; there are: ${phases
      .flat()
      .map((step) => step.name)
      .join(", ")}`,
  );
  process.exit(2);
}

for (const phase of phases) {
  const queue = phase.filter((step) => wanted.length === 0 || wanted.includes(step.name));
  const lane = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) await runStep(step);
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, lane));
}
rmSync(reports, { recursive: true });

const total: Outcome = {
  passed: outcomes.reduce((sum, outcome) => sum + outcome.passed, 0),
  failed: outcomes.reduce((sum, outcome) => sum + outcome.failed, 0),
  skipped: outcomes.flatMap((outcome) => outcome.skipped),
};
console.log(summary(total));
process.exitCode = total.failed === 0 ? 0 : 1;
