import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { renderMetricsReference } from "../scripts/metrics-reference.ts";

it("docs/reference/metrics.md says what the processes register (node scripts/generate-metrics-reference.ts)", () => {
  const written = readFileSync(resolve(import.meta.dirname, "../docs/reference/metrics.md"), "utf8");
  expect(renderMetricsReference()).toBe(written);
});
