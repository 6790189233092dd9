// The whole verification, as `npm test` runs it: steps with their timings, output only of what failed, and one last
// line that can be counted. Arguments name the steps to run; without any, all run.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { RingFailure, RingReport } from "./ring-reporter.ts";

const root = resolve(import.meta.dirname, "..");
const reports = mkdtempSync(join(tmpdir(), "outrigger-verify-"));

/** A step that takes longer hangs; it is killed and has failed. */
const STEP_MS_MAX = 20 * 60_000;

/** More failures than this in one ring are a break, and nothing is run again. */
const UNSTEADY_MAX = 3;

interface Step {
  readonly name: string;
  /** A script for the project's Node and its arguments. */
  readonly command: readonly string[];
  /** Names the file in which a ring of tests reports what it counted. */
  readonly report?: string;
  /** Runs what failed in the named files once more, after everything else and one file after the other. */
  readonly again?: (files: readonly string[]) => Step;
}

interface Outcome {
  passed: number;
  readonly failures: RingFailure[];
  readonly skipped: RingReport["skipped"];
}

function tool(name: string, path: string, ...args: string[]): Step {
  return { name, command: [join(root, "node_modules", path), ...args] };
}

function ring(name: string, ...args: string[]): Step {
  return {
    name,
    command: [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      "--project",
      name,
      "--reporter=default",
      `--reporter=${join(root, "scripts/ring-reporter.ts")}`,
      ...args,
    ],
    report: join(reports, `${name}.json`),
  };
}

/**
 * A ring of real processes and real time. A busy machine can fail a test of it that is right; so what fails is run
 * once more alone, and what passes then is counted as passed and named as unsteady, to be looked into.
 */
function liveRing(name: string): Step {
  return { ...ring(name), again: (files) => ring(name, "--no-file-parallelism", ...files) };
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
  [liveRing("integration")],
  [liveRing("interop")],
  // Alone, since its bounds are times and processor time.
  [liveRing("attacks")],
  [liveRing("examples"), liveRing("crash")],
  [liveRing("executable"), liveRing("compat")],
];

const outcomes: Outcome[] = [];
const unsteady: string[] = [];
const doubtful: { readonly step: Step; readonly outcome: Outcome }[] = [];

const running = new Set<ChildProcess>();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    process.exit(1);
  });
}

async function runStep(step: Step): Promise<Outcome> {
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

  const outcome = step.report === undefined ? outcomeOfTool(ended) : outcomeOfRing(ended, step.report);
  const counts = step.report === undefined ? "" : `  ${summary(outcome)}`;
  const verdict = outcome.failures.length > 0 ? "FAIL" : "ok  ";
  console.log(`${verdict} ${step.name.padEnd(12)} ${seconds.toFixed(1).padStart(6)} s${counts}`);
  // First what failed and then everything that was said: who reads only the beginning of it knows what to look for.
  for (const failure of outcome.failures) console.log(`       failed: ${describe(failure)}`);
  for (const { name, why } of outcome.skipped)
    console.log(`       skipped: ${name}${why === undefined ? "" : ` (${why})`}`);
  if (outcome.failures.length > 0) {
    console.log(`---- ${step.name} ended with ${ended}; its output:`);
    process.stdout.write(Buffer.concat(output));
    console.log(`---- end of ${step.name}`);
  }
  return outcome;
}

function describe({ file, name, message }: RingFailure): string {
  return `${file === undefined ? "" : `${file} > `}${name}: ${message.split("\n", 4).join(" | ").slice(0, 500)}`;
}

function outcomeOfTool(ended: string): Outcome {
  return ended === "0"
    ? { passed: 1, failures: [], skipped: [] }
    : { passed: 0, failures: [outside(`it ended with ${ended}`)], skipped: [] };
}

function outcomeOfRing(ended: string, report: string): Outcome {
  try {
    const outcome = JSON.parse(readFileSync(report, "utf8")) as RingReport;
    // A ring that counts no failure and yet ends badly has failed outside its tests; one without tests is a mistake.
    const sound = ended === "0" && outcome.passed + outcome.skipped.length > 0;
    if (!sound && outcome.failures.length === 0) outcome.failures.push(outside(`the ring ended with ${ended}`));
    return outcome;
  } catch {
    return { passed: 0, failures: [outside(`the ring ended with ${ended} and left no report`)], skipped: [] };
  } finally {
    rmSync(report, { force: true });
  }
}

function outside(message: string): RingFailure {
  return { file: undefined, name: "outside the tests", message };
}

function summary({ passed, failures, skipped }: Outcome): string {
  return `${passed} passed, ${failures.length} failed, ${skipped.length} skipped`;
}

/** Settles what failed among others by running it alone. */
async function runAgain(step: Step, outcome: Outcome): Promise<void> {
  const files = [...new Set(outcome.failures.flatMap(({ file }) => file ?? []))];
  const unclear = outcome.failures.some(({ file }) => file === undefined);
  if (step.again === undefined || unclear || outcome.failures.length > UNSTEADY_MAX) return;
  console.log(`once more, alone: ${files.join(", ")}`);
  const second = await runStep(step.again(files));
  if (second.failures.length > 0) return;
  for (const failure of outcome.failures.splice(0)) {
    outcome.passed += 1;
    unsteady.push(`${step.name} > ${describe(failure)}`);
  }
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
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      const outcome = await runStep(step);
      outcomes.push(outcome);
      if (outcome.failures.length > 0) doubtful.push({ step, outcome });
    }
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, lane));
}
for (const { step, outcome } of doubtful) await runAgain(step, outcome);
rmSync(reports, { recursive: true });

for (const name of unsteady) console.log(`UNSTEADY, passed only alone: ${name}`);
const total: Outcome = {
  passed: outcomes.reduce((sum, outcome) => sum + outcome.passed, 0),
  failures: outcomes.flatMap((outcome) => outcome.failures),
  skipped: outcomes.flatMap((outcome) => outcome.skipped),
};
console.log(summary(total));
process.exitCode = total.failures.length === 0 ? 0 : 1;
