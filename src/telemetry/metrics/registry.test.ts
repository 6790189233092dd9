import { describe, expect, it } from "vitest";
import { silentLogger } from "../../kit/silent-logger.ts";
import type { MetricDefinition } from "./definition.ts";
import { LabelRuleError } from "./label-rules.ts";
import { MetricRegistry, type RegistryOptions } from "./registry.ts";

const CALLS: MetricDefinition & { readonly kind: "counter" } = {
  name: "calls",
  help: "Calls.",
  kind: "counter",
  labels: ["status", "app_id"],
};
const WAIT: MetricDefinition & { readonly kind: "histogram" } = {
  name: "wait_ms",
  help: "Time \\ in\nqueue.",
  kind: "histogram",
  labels: ["queue"],
  buckets: "latency",
};
const DEPTH: MetricDefinition & { readonly kind: "gauge" } = {
  name: "depth",
  help: "Depth.",
  kind: "gauge",
  labels: [],
};

function registryWith(options: Partial<RegistryOptions> = {}, warnings: string[] = []): MetricRegistry {
  const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  return new MetricRegistry({ prefix: "dapr_", logger, ...options });
}

describe("MetricRegistry", () => {
  it("renders families and series in order, labels sorted by name", () => {
    const registry = registryWith({ latencyBucketsMs: [5, 1, 0] });
    const wait = registry.histogram(WAIT);
    wait.series(["b"]).observe(1);
    wait.series(["b"]).observe(0.5);
    wait.series(["a"]).observe(7);
    registry.counter(CALLS).series(["200", "shop"]).add(1_234_567);
    registry.gauge(DEPTH).series([]).set(-2.5);
    expect(registry.render()).toBe(
      [
        "# HELP dapr_calls Calls.",
        "# TYPE dapr_calls counter",
        'dapr_calls{app_id="shop",status="200"} 1.234567e+06',
        "# HELP dapr_depth Depth.",
        "# TYPE dapr_depth gauge",
        "dapr_depth -2.5",
        "# HELP dapr_wait_ms Time \\\\ in\\nqueue.",
        "# TYPE dapr_wait_ms histogram",
        'dapr_wait_ms_bucket{queue="a",le="1"} 0',
        'dapr_wait_ms_bucket{queue="a",le="5"} 0',
        'dapr_wait_ms_bucket{queue="a",le="+Inf"} 1',
        'dapr_wait_ms_sum{queue="a"} 7',
        'dapr_wait_ms_count{queue="a"} 1',
        'dapr_wait_ms_bucket{queue="b",le="1"} 1',
        'dapr_wait_ms_bucket{queue="b",le="5"} 2',
        'dapr_wait_ms_bucket{queue="b",le="+Inf"} 2',
        'dapr_wait_ms_sum{queue="b"} 1.5',
        'dapr_wait_ms_count{queue="b"} 2',
        "",
      ].join("\n"),
    );
  });

  it("comes in pieces where it is long", () => {
    const registry = registryWith();
    const calls = registry.counter(CALLS);
    for (let each = 0; each < 1_000; each++) {
      calls.series(["x".repeat(250), String(each)]).increment();
    }
    const pieces = [...registry.pieces()];
    expect(pieces.length).toBeGreaterThan(1);
    expect(pieces.join("")).toBe(registry.render());
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(140_000);
  });

  it("leaves out families without series", () => {
    const registry = registryWith();
    registry.counter(CALLS);
    expect(registry.render()).toBe("");
  });

  it("escapes label values and blanks those that OpenCensus refuses", () => {
    const registry = registryWith();
    const calls = registry.counter(CALLS);
    calls.series(['a"\\b', "x"]).increment();
    calls.series(["line\nfeed", "y"]).increment();
    calls.series(["x".repeat(256), "z"]).increment();
    expect(registry.render().split("\n").slice(2, 5)).toEqual([
      'dapr_calls{app_id="x",status="a\\"\\\\b"} 1',
      'dapr_calls{app_id="y",status=""} 1',
      'dapr_calls{app_id="z",status=""} 1',
    ]);
  });

  it("rewrites labels by rule, whether or not the rule's name has the prefix", () => {
    const regex = { "/orders/TEST": "/orders/.+", ["$" + "{verb}-$2"]: "(?P<verb>GET|PUT) (\\w+)", $$1x$9: "^c$" };
    for (const name of ["dapr_calls", "calls"]) {
      const registry = registryWith({ rules: [{ name, labels: [{ name: "status", regex }] }] });
      const calls = registry.counter(CALLS);
      for (const value of ["/orders/123", "GET it", "c"]) {
        calls.series([value, "GET it"]).increment();
      }
      expect(registry.render().match(/status="[^"]*"/g)).toEqual([
        'status="$1x"',
        'status="/orders/TEST"',
        'status="GET-it"',
      ]);
      expect(registry.render()).toContain('app_id="GET it"');
    }
  });

  it("refuses a rule that is no regular expression", () => {
    expect(() => registryWith({ rules: [{ name: "calls", labels: [{ name: "status", regex: { x: "(" } }] }] })).toThrow(
      LabelRuleError,
    );
  });

  it("refuses to register a name twice", () => {
    const registry = registryWith();
    registry.counter(CALLS);
    expect(() => registry.counter(CALLS)).toThrow("metric dapr_calls is registered twice");
  });

  it("reads collected metrics at every rendering, without the prefix", () => {
    const registry = registryWith();
    let bytes = 5;
    registry.collected(
      { name: "process_resident_memory_bytes", help: "Bytes.", kind: "gauge", labels: [] },
      () => bytes,
    );
    expect(registry.render()).toContain("\nprocess_resident_memory_bytes 5\n");
    bytes = 1_048_576;
    expect(registry.render()).toContain("\nprocess_resident_memory_bytes 1.048576e+06\n");
  });
});
