import type { MetricDefinition } from "../../src/telemetry/metrics/definition.ts";

/** Functions, aggregations and words of PromQL that our queries use. */
const WORDS: ReadonlySet<string> = new Set(
  "sum min max avg rate increase histogram_quantile label_values time by without on ignoring unless and or".split(" "),
);

/** Labels that Prometheus puts on everything it scrapes. */
const TARGET_LABELS: readonly string[] = ["job", "instance"];

/** What a query names that nobody exports; empty for a good one. */
export function strangersOf(query: string, metrics: ReadonlyMap<string, MetricDefinition>): readonly string[] {
  const plain = query.replaceAll(/"[^"]*"/g, '""').replaceAll(/\[[^\]]*\]/g, "");
  const labelLists = [...plain.matchAll(/\{([^}]*)\}|\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)];
  const bare = plain.replaceAll(/\{[^}]*\}|\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, " ");
  const [named = "", wanted] = /label_values\(([^,]+),\s*(\w+)\)/.exec(bare)?.slice(1) ?? [];
  const names = [...(named === "" ? bare : named).matchAll(/[A-Za-z_:][\w:]*/g)].map(([name]) => name);
  const unknown = names.filter((name) => !WORDS.has(name) && definitionOf(name, metrics) === undefined);
  const known = new Set(TARGET_LABELS);
  for (const name of names) {
    for (const label of definitionOf(name, metrics)?.labels ?? []) {
      known.add(label);
    }
    if (name.endsWith("_bucket")) {
      known.add("le");
    }
  }
  const labels = [
    ...labelLists.flatMap(([, matchers, list]) => labelsIn(matchers ?? list ?? "")),
    ...(wanted ?? "").split(" "),
  ];
  return [...unknown, ...labels.filter((label) => label !== "" && !known.has(label))];
}

/** Labels that a legend (`{{label}}`, `{{ $labels.label }}`) shows and that its query does not keep. */
export function lostLabels(legend: string, query: string): readonly string[] {
  const lists = [...query.matchAll(/\bby\s*\(([^)]*)\)/g)];
  const aggregates = /\b(sum|min|max|avg)\b/.test(query);
  const kept = lists.flatMap(([, list = ""]) => labelsIn(list));
  return [...legend.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)]
    .map(([, label = ""]) => label)
    .filter((label) => (aggregates ? !kept.includes(label) : !TARGET_LABELS.includes(label)));
}

function labelsIn(list: string): readonly string[] {
  return list
    .split(",")
    .map((part) => /^\s*(\w+)/.exec(part)?.[1] ?? "")
    .filter((label) => label !== "");
}

/** A histogram is exported under three names. */
function definitionOf(name: string, metrics: ReadonlyMap<string, MetricDefinition>): MetricDefinition | undefined {
  const histogram = metrics.get(name.replace(/_(bucket|sum|count)$/, ""));
  return histogram?.kind === "histogram" && /_(bucket|sum|count)$/.test(name) ? histogram : exact(name, metrics);
}

function exact(name: string, metrics: ReadonlyMap<string, MetricDefinition>): MetricDefinition | undefined {
  const definition = metrics.get(name);
  return definition?.kind === "histogram" ? undefined : definition;
}
