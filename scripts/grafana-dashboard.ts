/** One line of a chart. */
export interface Query {
  readonly expr: string;
  /** With `{{label}}` for values of labels. */
  readonly legend: string;
}

/** One chart: the unit is Grafana's word for it (`ops`, `ms`, `bytes`, `percentunit`, `s`, `short`). */
export interface Panel {
  readonly title: string;
  readonly unit: string;
  /** What a reader should make of it. */
  readonly description: string;
  readonly queries: readonly Query[];
  /** A single number in place of a chart over time. */
  readonly stat?: true;
}

/** Charts that belong together, under a heading that folds. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** A choice at the top of a dashboard, filled from the values of a label. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  /** `label_values(metric, label)`. */
  readonly query: string;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

/** The variable that every dashboard has first. */
const DATASOURCE = { type: "prometheus", uid: `$${"{datasource}"}` } as const;
const PANELS_IN_A_LINE = 3;
const WIDTH = 24 / PANELS_IN_A_LINE;
const HEIGHT = 8;
const SCHEMA_VERSION = 39;

/** A dashboard as Grafana imports it, formatted. */
export function renderDashboard(dashboard: Dashboard): string {
  const { uid, title, description, tags, variables, rows } = dashboard;
  const json = {
    uid,
    title,
    description,
    tags: ["outrigger", ...tags],
    schemaVersion: SCHEMA_VERSION,
    editable: true,
    graphTooltip: 1,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    templating: {
      list: [
        { name: "datasource", label: "Data source", type: "datasource", query: "prometheus", current: {} },
        ...variables.map(variableOf),
      ],
    },
    panels: panelsOf(rows),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

function variableOf({ name, label, query }: Variable): object {
  return {
    name,
    label,
    type: "query",
    datasource: DATASOURCE,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    multi: true,
    includeAll: true,
    allValue: ".*",
    sort: 1,
    current: { selected: true, text: ["All"], value: ["$__all"] },
  };
}

function panelsOf(rows: readonly Row[]): readonly object[] {
  const all: object[] = [];
  let y = 0;
  let id = 0;
  for (const { title, panels } of rows) {
    all.push({ id: ++id, type: "row", title, collapsed: false, gridPos: { h: 1, w: 24, x: 0, y }, panels: [] });
    y += 1;
    for (const [index, panel] of panels.entries()) {
      const x = (index % PANELS_IN_A_LINE) * WIDTH;
      const line = Math.floor(index / PANELS_IN_A_LINE);
      all.push(panelOf(panel, ++id, { h: HEIGHT, w: WIDTH, x, y: y + line * HEIGHT }));
    }
    y += Math.ceil(panels.length / PANELS_IN_A_LINE) * HEIGHT;
  }
  return all;
}

function panelOf({ title, unit, description, queries, stat }: Panel, id: number, gridPos: object): object {
  return {
    id,
    type: stat === true ? "stat" : "timeseries",
    title,
    description,
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options:
      stat === true
        ? { reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false }, textMode: "auto" }
        : { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi", sort: "desc" } },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      range: true,
    })),
  };
}

/** The median and two upper quantiles of a histogram. */
export function quantiles(metric: string, where: string): readonly Query[] {
  return ["0.5", "0.95", "0.99"].map((q) => ({
    expr: `histogram_quantile(${q}, sum by (le) (rate(${metric}_bucket${where}[$__rate_interval])))`,
    legend: `p${Number(q) * 100}`,
  }));
}

/** The 99th percentile of a histogram by some of its labels. */
export function p99By(metric: string, labels: readonly string[], where: string): readonly Query[] {
  const by = ["le", ...labels].join(", ");
  return [
    {
      expr: `histogram_quantile(0.99, sum by (${by}) (rate(${metric}_bucket${where}[$__rate_interval])))`,
      legend: labels.map((label) => `{{${label}}}`).join(" "),
    },
  ];
}

/** The rate of a counter by some of its labels. */
export function rateBy(metric: string, labels: readonly string[], where: string): readonly Query[] {
  return [
    {
      expr: `sum by (${labels.join(", ")}) (rate(${metric}${where}[$__rate_interval]))`,
      legend: labels.map((label) => `{{${label}}}`).join(" "),
    },
  ];
}

/** A gauge by some of its labels, added up over all processes. */
export function sumBy(metric: string, labels: readonly string[], where: string): readonly Query[] {
  return [
    {
      expr: `sum by (${labels.join(", ")}) (${metric}${where})`,
      legend: labels.map((label) => `{{${label}}}`).join(" "),
    },
  ];
}

/** What every process tells of itself. */
export function processRow(where: string): Row {
  const each = (metric: string): readonly Query[] => [{ expr: `${metric}${where}`, legend: "{{job}} {{instance}}" }];
  const panel = (title: string, unit: string, description: string, queries: readonly Query[]): Panel => ({
    title,
    unit,
    description,
    queries,
  });
  return {
    title: "Process and event loop",
    panels: [
      panel("Memory", "bytes", "Resident memory.", each("process_resident_memory_bytes")),
      panel("Heap in use", "bytes", "JavaScript heap; buffers are outside of it.", each("nodejs_heap_size_used_bytes")),
      panel("CPU", "short", "Cores in use.", [
        { expr: `rate(process_cpu_seconds_total${where}[$__rate_interval])`, legend: "{{job}} {{instance}}" },
      ]),
      panel(
        "Event loop lag, p99",
        "s",
        "How long what was due had to wait. Above some milliseconds, calls wait for something that computes.",
        each("nodejs_eventloop_lag_p99_seconds"),
      ),
      panel(
        "Event loop utilization",
        "percentunit",
        "The part of the time the loop was busy. Near 1 the process is at its limit: add replicas.",
        each("nodejs_eventloop_utilization"),
      ),
      panel("Open file descriptors", "short", "Connections and files.", each("process_open_fds")),
    ],
  };
}
