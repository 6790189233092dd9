import type { Operation } from "./operation.ts";
import type { Sample, StartSample } from "./measure.ts";

/** A figure over the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** What one run measured, as it is written to the JSON file. */
export interface Report {
  readonly command: string;
  readonly machine: { readonly cpus: number; readonly model: string; readonly node: string; readonly date: string };
  readonly rounds: number;
  /** What the disk takes for one fsync, in milliseconds. */
  readonly syncMs: number;
  readonly yardsticks: Readonly<Record<"E" | "P", Spread>>;
  readonly starts: Readonly<Record<string, Readonly<Record<keyof StartSample, Spread>>>>;
  readonly operations: Readonly<Record<string, Readonly<Record<string, OperationReport>>>>;
}

export type OperationReport = Readonly<Record<keyof Sample, Spread>> & { readonly yardsticks: Spread };

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  const lower = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  return { median: (upper + lower) / 2, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/** Spreads of every field of the samples. */
export function spreads<T extends { readonly [K in keyof T]: number }>(samples: readonly T[]): Record<keyof T, Spread> {
  const first = samples[0];
  if (first === undefined) {
    throw new Error("no samples");
  }
  const fields = Object.keys(first) as (keyof T)[];
  return Object.fromEntries(fields.map((field) => [field, spread(samples.map((sample) => sample[field]))])) as Record<
    keyof T,
    Spread
  >;
}

/** The report as Markdown: medians with their spread. */
export function markdown(report: Report, operations: readonly Operation[]): string {
  const { machine, yardsticks } = report;
  const lines = [
    `\`${report.command}\``,
    "",
    `${machine.date}, ${machine.cpus} CPUs (${machine.model}), Node ${machine.node}, ${report.rounds} interleaved rounds; medians (min–max).`,
    `The disk takes ${report.syncMs.toFixed(2)} ms for an fsync.`,
    `Yardsticks: E ${figure(yardsticks.E, 1)} µs, P ${figure(yardsticks.P, 1)} µs of CPU per request.`,
    "",
    "| candidate | start to ready, ms | idle RSS, MB | of it anonymous, MB |",
    "|---|---|---|---|",
    ...Object.entries(report.starts).map(
      ([name, start]) =>
        `| ${name} | ${figure(start.readyMs, 0)} | ${figure(start.idleRssMb, 0)} | ${figure(start.idleAnonymousMb, 0)} |`,
    ),
    "",
    "| operation | candidate | ops/s | CPU µs per op | control plane µs | all in yardsticks | aim | p50 ms | p99 ms | max ms | RSS under load, MB | ops per fsync |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|",
  ];
  for (const operation of operations) {
    for (const [name, result] of Object.entries(report.operations[operation.name] ?? {})) {
      lines.push(
        `| ${operation.name} | ${name} | ${figure(result.opsPerSecond, 0)} | ${figure(result.cpuMicros, 1)} | ${figure(result.controlMicros, 1)} | ${figure(result.yardsticks, 2)} ${operation.yardstick} | ` +
          `${operation.aim} ${operation.yardstick} | ${figure(result.p50Ms, 2)} | ${figure(result.p99Ms, 2)} | ${figure(result.maxMs, 1)} | ${figure(result.rssMb, 0)} | ${figure(result.opsPerSync, 1)} |`,
      );
    }
  }
  for (const operation of operations) {
    for (const [name, { actorBytes }] of Object.entries(report.operations[operation.name] ?? {})) {
      if (!Number.isNaN(actorBytes.median)) {
        lines.push("", `${operation.name}: an idle actor takes ${figure(actorBytes, 0)} bytes of ${name}'s sidecar.`);
      }
    }
  }
  const paced = operations.filter(({ burst }) => burst === undefined);
  lines.push(
    "",
    `p50, p99 and max at a fixed rate: ${paced.map((operation) => `${operation.name} ${operation.fixedRate}/s`).join(", ")}. Of what is due at once: how late the app hears of it.`,
  );
  return `${lines.join("\n")}\n`;
}

function figure(value: Spread, digits: number): string {
  if (Number.isNaN(value.median)) {
    return "–";
  }
  return `${value.median.toFixed(digits)} (${value.min.toFixed(digits)}–${value.max.toFixed(digits)})`;
}
