import { type MetricsProcess, PROCESSES, registeredMetrics } from "../src/telemetry/metrics/all-metrics.fixture.ts";
import { LATENCY_BUCKETS_MS, type MetricDefinition, SIZE_BUCKETS_BYTES } from "../src/telemetry/metrics/definition.ts";
import { OPEN_LABELS, OTHER, OVERFLOW_SERIES_MAX } from "../src/telemetry/metrics/family.ts";
import { SERIES_PER_METRIC_MAX } from "../src/telemetry/metrics/registry.ts";

const HEAD = `# Metrics

Written by \`node scripts/generate-metrics-reference.ts\` from what the processes register. How to read, tame and chart them: [metrics and logs](../guides/metrics-and-logs.md).

Names with \`dapr_\` are those of Dapr 1.18.3, with its labels, buckets and help texts. Names with \`outrigger_\` are ours; \`process_*\` and \`nodejs_*\` are named as Prometheus' client libraries do. A metric without a series is not exported, as in Dapr.

* **Latencies** are in milliseconds, with the bounds ${LATENCY_BUCKETS_MS.join(", ")}, unless \`latencyDistributionBuckets\` of the Configuration says otherwise.
* **Sizes** are in bytes, with the bounds ${SIZE_BUCKETS_BYTES.join(", ")}.
* **Bounded.** A metric has at most ${SERIES_PER_METRIC_MAX.toLocaleString("en")} series. What comes beyond is counted with \`${OTHER}\` in the labels marked *, whose values come from outside, in at most ${OVERFLOW_SERIES_MAX} series more; \`outrigger_metric_series_dropped_total\` says for which metric, and the log says it once. Sums over those labels stay right. A gauge beyond the limit is not shown.
`;

const TITLES: Readonly<Record<MetricsProcess, string>> = {
  sidecar: "Sidecar",
  placement: "Placement service",
  scheduler: "Scheduler",
  sentry: "Sentry",
};

/** docs/reference/metrics.md. */
export function renderMetricsReference(): string {
  const registered = registeredMetrics();
  const shared = [...registered.placement.keys()].filter((name) =>
    PROCESSES.every((each) => registered[each].has(name)),
  );
  const sections = PROCESSES.map((each) => {
    const own = [...registered[each]].filter(([name]) => !shared.includes(name));
    return section(TITLES[each], own);
  });
  const ofAll = [...registered.placement].filter(([name]) => shared.includes(name));
  return [HEAD, ...sections, section("Every process", ofAll)].join("\n");
}

function section(title: string, metrics: readonly (readonly [string, MetricDefinition])[]): string {
  const rows = metrics
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, definition]) => `| ${cellsOf(name, definition).join(" | ")} |`);
  return `## ${title}\n\n| Name | Type | Labels | Unit | Meaning | From |\n|---|---|---|---|---|---|\n${rows.join("\n")}\n`;
}

function cellsOf(name: string, definition: MetricDefinition): readonly string[] {
  const labels = definition.labels.map((label) => `\`${label}\`${OPEN_LABELS.has(label) ? "\\*" : ""}`);
  const origin = name.startsWith("dapr_") ? "Dapr" : name.startsWith("outrigger_") ? "Outrigger" : "Prometheus";
  return [`\`${name}\``, definition.kind, labels.join(", "), unitOf(name, definition), definition.help, origin];
}

function unitOf(name: string, { kind, buckets }: MetricDefinition): string {
  if (kind === "histogram") {
    return buckets === "size" ? "bytes" : "ms";
  }
  return name.includes("_bytes") ? "bytes" : /_(seconds|timestamp)(_|$)/.test(name) ? "s" : "";
}
