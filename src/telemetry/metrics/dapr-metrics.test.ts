import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type MetricsProcess, registeredMetrics } from "./all-metrics.fixture.ts";
import type { MetricKind } from "./definition.ts";

/** A metric as `pkg/diagnostics` and the services' `monitoring` packages of Dapr 1.18.3 register it. */
interface DaprMetric {
  readonly process: MetricsProcess;
  readonly name: string;
  readonly type: MetricKind;
  readonly labels: readonly string[];
  readonly help: string;
  readonly buckets?: "latency" | "size" | "ratio" | readonly number[];
}

const DAPR = JSON.parse(
  readFileSync(new URL("testdata/dapr-1.18.3.json", import.meta.url), "utf8"),
) as readonly DaprMetric[];

/** What Dapr registers and we do not, and why. */
const ABSENT: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^runtime_workflow_/, "workflows are not there yet"],
  [/^runtime_actor_reminders$/, "Dapr 1.18.3 registers it and never records it"],
];

const registered = registeredMetrics();
const reasonOf = (name: string): string | undefined => ABSENT.find(([pattern]) => pattern.test(name))?.[1];

describe("metrics of Dapr 1.18.3", () => {
  it.each(DAPR.filter(({ name }) => reasonOf(name) === undefined))("$process exports $name as Dapr does", (metric) => {
    const ours = registered[metric.process].get(`dapr_${metric.name}`);
    expect(ours).toBeDefined();
    expect(ours?.kind).toBe(metric.type);
    expect([...(ours?.labels ?? [])].sort()).toEqual([...metric.labels].sort());
    expect(ours?.help).toBe(metric.help);
    expect(ours?.buckets).toEqual(metric.buckets);
  });

  it("are absent only where a reason says why", () => {
    const absent = DAPR.filter(({ process, name }) => !registered[process].has(`dapr_${name}`));
    expect(absent.filter(({ name }) => reasonOf(name) === undefined)).toEqual([]);
    expect(DAPR.filter(({ name }) => reasonOf(name) !== undefined)).toEqual(absent);
  });

  it("are, but for one that 1.18.3 counts and forgets to export, the only ones under Dapr's prefix", () => {
    const known = new Set(DAPR.map(({ process, name }) => `${process} dapr_${name}`));
    known.add("sidecar dapr_component_pubsub_egress_bulk_event_count");
    const strangers = Object.entries(registered).flatMap(([process, metrics]) =>
      [...metrics.keys()].filter((name) => name.startsWith("dapr_") && !known.has(`${process} ${name}`)),
    );
    expect(strangers).toEqual([]);
  });
});
