import type { InventoryView } from "../inventory/types.ts";
import type { Logger } from "../kit/logger.ts";
import type { Configuration } from "../resources/configuration.ts";
import { DEFAULT_METRICS_SETTINGS, type MetricsSettings } from "../telemetry/metrics/runtime-metrics.ts";

/** Sections that this release reads and does not act on. */
const IGNORED_SECTIONS = ["workflow"] as const;

/** Says what of the Configuration has no effect yet. */
export function checkConfiguration(configuration: Configuration, logger: Logger): void {
  for (const section of IGNORED_SECTIONS) {
    const origin = configuration.sections.get(section);
    if (origin !== undefined) {
      logger.warn(`${origin.file}:${origin.line}: spec.${section} has no effect in this release`);
    }
  }
}

/** Says which rules about secrets are for stores that are not there, which may be a mistyped name. */
export function checkSecretScopes(configuration: Configuration, inventory: InventoryView, logger: Logger): void {
  for (const { storeName } of configuration.secretScopes) {
    if (inventory.secretstores.get(storeName) === undefined) {
      logger
        .scope("dapr.runtime.compstore")
        .warn(`Secrets configuration added for '${storeName}', but no matching secret store was found`);
    }
  }
}

/** The section as Dapr logs it. */
export function metricSpecText({ metrics }: Pick<Configuration, "metrics">): string {
  const { latencyDistributionBuckets, rules, ...written } = metrics;
  const ruleTexts = rules.map(({ name, labels }) => ({
    name,
    labels: labels.map((label) => ({ name: label.name, regex: Object.fromEntries(label.regex) })),
  }));
  return JSON.stringify({
    ...written,
    latencyDistributionBuckets,
    ...(rules.length === 0 ? {} : { rules: ruleTexts }),
  });
}

/** What the metrics of this run are made with. */
export function metricsSettings(configuration: Configuration): MetricsSettings {
  const { metrics } = configuration;
  return {
    http: {
      ...metrics.http,
      increasedCardinality: metrics.http.increasedCardinality ?? DEFAULT_METRICS_SETTINGS.http.increasedCardinality,
    },
    recordErrorCodes: metrics.recordErrorCodes,
    latencyBucketsMs: metrics.latencyDistributionBuckets ?? DEFAULT_METRICS_SETTINGS.latencyBucketsMs,
    rules: metrics.rules.map((rule) => ({
      name: rule.name,
      labels: rule.labels.map((label) => ({ name: label.name, regex: Object.fromEntries(label.regex) })),
    })),
  };
}
