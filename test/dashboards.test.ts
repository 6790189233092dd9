import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { CONTROL_PLANE } from "../scripts/grafana-control-plane.ts";
import { type Dashboard, renderDashboard } from "../scripts/grafana-dashboard.ts";
import { SIDECARS } from "../scripts/grafana-sidecars.ts";
import { PROCESSES, registeredMetrics } from "../src/telemetry/metrics/all-metrics.fixture.ts";
import type { MetricDefinition } from "../src/telemetry/metrics/definition.ts";
import { lostLabels, strangersOf } from "./docs/promql.ts";

const DEPLOY = resolve(import.meta.dirname, "../deploy");
const registered = registeredMetrics();
const controlPlane = new Map(PROCESSES.slice(1).flatMap((each) => [...registered[each]]));

interface GrafanaPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

interface GrafanaDashboard {
  readonly uid: string;
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[];
  };
  readonly panels: readonly GrafanaPanel[];
}

const DASHBOARDS: readonly (readonly [string, Dashboard, ReadonlyMap<string, MetricDefinition>])[] = [
  ["sidecars.json", SIDECARS, registered.sidecar],
  ["control-plane.json", CONTROL_PLANE, controlPlane],
];

describe.each(DASHBOARDS)("deploy/grafana/%s", (file, source, metrics) => {
  const text = readFileSync(resolve(DEPLOY, "grafana", file), "utf8");
  const dashboard = JSON.parse(text) as GrafanaDashboard;
  const charts = dashboard.panels.filter(({ type }) => type !== "row");

  it("is what its source says (node scripts/generate-grafana.ts)", () => {
    expect(renderDashboard(source)).toBe(text);
  });

  it("queries only metrics and labels that are exported", () => {
    for (const { title, targets = [] } of charts) {
      expect(targets.length, title).toBeGreaterThan(0);
      for (const { expr, legendFormat } of targets) {
        expect(strangersOf(expr, metrics), `${title}: ${expr}`).toEqual([]);
        expect(lostLabels(legendFormat, expr), `${title}: ${legendFormat} of ${expr}`).toEqual([]);
      }
    }
    for (const { name, type, query } of dashboard.templating.list) {
      if (type === "query") {
        expect(strangersOf((query as { query: string }).query, metrics), name).toEqual([]);
      }
    }
  });

  it("asks the data source that the reader chooses, and knows its variables", () => {
    const variables = dashboard.templating.list;
    expect(variables[0]).toMatchObject({ name: "datasource", type: "datasource", query: "prometheus" });
    for (const { datasource } of charts) {
      expect(datasource?.uid).toMatch(/^\$\{datasource\}$/);
    }
    const used = new Set([...text.matchAll(/=~\\"\$(\w+)\\"/g)].map(([, name]) => name));
    expect([...used].filter((name) => !variables.some((variable) => variable.name === name))).toEqual([]);
  });

  it("lays its panels out without overlaps, each with an id of its own", () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const places = dashboard.panels.flatMap(({ gridPos: { h, w, x, y } }) =>
      Array.from({ length: h * w }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(places).size).toBe(places.length);
    expect(Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.x + gridPos.w))).toBe(24);
  });
});

describe("deploy/prometheus/rules.yaml", () => {
  const { groups } = parse(readFileSync(resolve(DEPLOY, "prometheus/rules.yaml"), "utf8")) as {
    groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  const all = new Map(PROCESSES.flatMap((each) => [...registered[each]]));

  it("queries only metrics and labels that are exported", () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, expr, annotations } of rules) {
      expect(strangersOf(expr, all), alert).toEqual([]);
      expect(lostLabels(Object.values(annotations).join(" "), expr), alert).toEqual([]);
    }
  });
});

it("strangers are found", () => {
  const { sidecar } = registered;
  const latency = "dapr_http_server_latency";
  expect(strangersOf("sum by (status) (rate(dapr_http_server_request_count[5m]))", sidecar)).toEqual([]);
  expect(strangersOf("sum by (state) (rate(dapr_http_server_request_count[5m]))", sidecar)).toEqual(["state"]);
  expect(strangersOf("rate(dapr_http_server_request_total[5m])", sidecar)).toEqual(["dapr_http_server_request_total"]);
  expect(strangersOf(`rate(${latency}[5m])`, sidecar)).toEqual([latency]);
  expect(strangersOf(`rate(${latency}_bucket{le="1", verb="GET"}[5m])`, sidecar)).toEqual(["verb"]);
  expect(strangersOf("label_values(dapr_runtime_component_loaded, app)", sidecar)).toEqual(["app"]);
  expect(lostLabels("{{status}}", "sum by (path) (x)")).toEqual(["status"]);
});
