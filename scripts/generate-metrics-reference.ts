// Writes docs/reference/metrics.md from what the processes register.
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { renderMetricsReference } from "./metrics-reference.ts";

const output = resolve(import.meta.dirname, "../docs/reference/metrics.md");
writeFileSync(output, renderMetricsReference());
console.log(`wrote ${output}`);
