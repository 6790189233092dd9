import { describe, expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import { counter, gauge, latency } from "./definition.ts";
import { OVERFLOW_SERIES_MAX } from "./family.ts";
import { MetricRegistry, type RegistryOptions, SERIES_PER_METRIC_MAX } from "./registry.ts";

const CALLS = counter("calls", "Calls.", ["app_id", "path", "status"]);

function limited(
  max: number,
  options: Partial<RegistryOptions> = {},
): { registry: MetricRegistry; warnings: string[] } {
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  return { registry: new MetricRegistry({ prefix: "dapr_", logger, seriesPerMetricMax: max, ...options }), warnings };
}

function samples(registry: MetricRegistry, name: string): string[] {
  return registry
    .render()
    .split("\n")
    .filter((line) => line.startsWith(name));
}

describe("a metric beyond its limit of series", () => {
  it("counts on under other, with the labels that have few values, and says so once", () => {
    const { registry, warnings } = limited(2);
    const calls = registry.counter(CALLS);
    for (const [path, status] of [
      ["/a", "200"],
      ["/b", "200"],
      ["/c", "200"],
      ["/d", "200"],
      ["/e", "500"],
      ["/a", "200"],
    ]) {
      calls.series(["shop", path as string, status as string]).increment();
    }
    expect(samples(registry, "dapr_calls")).toEqual([
      'dapr_calls{app_id="shop",path="/a",status="200"} 2',
      'dapr_calls{app_id="shop",path="/b",status="200"} 1',
      'dapr_calls{app_id="shop",path="other",status="200"} 2',
      'dapr_calls{app_id="shop",path="other",status="500"} 1',
    ]);
    expect(samples(registry, "outrigger_metric_series_dropped_total")).toEqual([
      'outrigger_metric_series_dropped_total{metric="dapr_calls"} 3',
    ]);
    expect(warnings).toEqual([expect.stringContaining("dapr_calls has reached its limit of 2 series")]);
  });

  it("keeps only the app id where the other labels have many values too", () => {
    const { registry } = limited(2);
    const calls = registry.counter(CALLS);
    for (let status = 0; status < 10_000; status++) {
      calls.series(["shop", `/${status}`, String(status)]).increment();
    }
    const lines = samples(registry, "dapr_calls");
    expect(lines).toHaveLength(2 + OVERFLOW_SERIES_MAX + 1);
    expect(lines).toContain(
      `dapr_calls{app_id="shop",path="other",status="other"} ${10_000 - 2 - OVERFLOW_SERIES_MAX}`,
    );
  });

  it("loses no observation and grows no further, however much callers make up", () => {
    const { registry } = limited(SERIES_PER_METRIC_MAX);
    const waits = registry.histogram(latency("wait_ms", "Waiting.", ["app_id", "topic"]));
    for (let each = 0; each < 100_000; each++) {
      waits.series(["shop", `topic-${each}`]).observe(1);
    }
    const counts = samples(registry, "dapr_wait_ms_count");
    expect(counts).toHaveLength(SERIES_PER_METRIC_MAX + 1);
    expect(counts.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0)).toBe(100_000);
  });

  it("still sees what rules make of new values", () => {
    const rules = [{ name: "calls", labels: [{ name: "path", regex: { "/order": "^/order/.*" } }] }];
    const { registry } = limited(1, { rules });
    const calls = registry.counter(CALLS);
    for (let each = 0; each < 10; each++) {
      calls.series(["shop", `/order/${each}`, "200"]).increment();
    }
    expect(samples(registry, "dapr_calls")).toEqual(['dapr_calls{app_id="shop",path="/order",status="200"} 10']);
  });

  it("shows no gauge for many", () => {
    const { registry } = limited(1);
    const pending = registry.gauge(gauge("pending", "Pending.", ["app_id", "actor_type"]));
    pending.series(["shop", "Cart"]).set(3);
    pending.series(["shop", "Order"]).set(4);
    expect(samples(registry, "dapr_pending")).toEqual(['dapr_pending{actor_type="Cart",app_id="shop"} 3']);
  });
});
