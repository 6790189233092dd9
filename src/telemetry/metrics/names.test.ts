import { expect, it } from "vitest";
import * as callNames from "./component-call-names.ts";
import type { MetricDefinition } from "./definition.ts";
import * as names from "./names.ts";

const groups: readonly Readonly<Record<string, MetricDefinition>>[] = [
  ...Object.values(names),
  ...Object.values(callNames),
];
const definitions = groups.flatMap((group) => Object.values(group));

it("names every metric once, in Prometheus' alphabet", () => {
  const all = definitions.map((definition) => definition.name);
  expect(new Set(all).size).toBe(all.length);
  expect(all.filter((name) => !/^[a-z][a-z0-9_]*$/.test(name))).toEqual([]);
});

it("labels every metric with the app id, each label once", () => {
  for (const definition of definitions) {
    expect(definition.labels[0]).toBe("app_id");
    expect(new Set(definition.labels).size).toBe(definition.labels.length);
  }
});
