import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";

const FOLDER = resolve(import.meta.dirname, "../deploy/collector");
const guide = readFileSync(resolve(import.meta.dirname, "../docs/guides/tracing.md"), "utf8");

interface CollectorFile {
  readonly receivers: Readonly<Record<string, unknown>>;
  readonly processors: Readonly<Record<string, unknown>>;
  readonly exporters: Readonly<Record<string, unknown>>;
  readonly service: {
    readonly pipelines: Readonly<
      Record<string, Readonly<Record<"receivers" | "processors" | "exporters", readonly string[]>>>
    >;
  };
}

/** The settings of the collector's components (0.150) that these files may use; a component may stand under `type/name`. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  otlp: ["protocols", "endpoint", "tls"],
  memory_limiter: ["check_interval", "limit_mib", "spike_limit_mib"],
  batch: [],
  azuremonitor: ["connection_string"],
};

const files = globSync("*.yaml", { cwd: FOLDER });

it("there is one for each back end of the guide", () => {
  expect(files.toSorted()).toEqual(["azure-application-insights.yaml", "jaeger.yaml"]);
  for (const file of files) {
    expect(guide).toContain(`deploy/collector/${file}`);
  }
});

describe.each(files)("%s", (name) => {
  const text = readFileSync(join(FOLDER, name), "utf8");
  const file = parse(text, { strict: true, uniqueKeys: true }) as CollectorFile;

  it("has the sections of a collector and no other", () => {
    expect(Object.keys(file).toSorted()).toEqual(["exporters", "processors", "receivers", "service"]);
  });

  it("uses every component that it sets up, and sets up every one that it uses", () => {
    for (const kind of ["receivers", "processors", "exporters"] as const) {
      const used = new Set(Object.values(file.service.pipelines).flatMap((pipeline) => pipeline[kind]));
      expect([...used].toSorted()).toEqual(Object.keys(file[kind]).toSorted());
    }
  });

  it("sets nothing that the components do not know", () => {
    for (const [id, settings] of [file.receivers, file.processors, file.exporters].flatMap((each) =>
      Object.entries(each),
    )) {
      const known = KNOWN[id.split("/")[0] ?? ""];
      expect(known, id).toBeDefined();
      expect(Object.keys(settings ?? {}).filter((key) => !known?.includes(key))).toEqual([]);
    }
  });

  it("listens where the guide sends sidecars", () => {
    const { protocols } = file.receivers["otlp"] as { protocols: Record<string, { endpoint: string }> };
    expect(protocols["grpc"]?.endpoint).toMatch(/:4317$/);
    expect(protocols["http"]?.endpoint).toMatch(/:4318$/);
  });

  it("takes what differs from place to place from variables that the guide names", () => {
    for (const [, variable = ""] of text.matchAll(/\$\{env:(\w+)\}/g)) {
      expect(guide).toContain(`${variable}=`);
    }
  });

  it("limits memory before anything else is done", () => {
    for (const pipeline of Object.values(file.service.pipelines)) {
      expect(pipeline.processors[0]).toBe("memory_limiter");
    }
  });
});
