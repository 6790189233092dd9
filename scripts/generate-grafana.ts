// Writes deploy/grafana/*.json from scripts/grafana-*.ts.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { CONTROL_PLANE } from "./grafana-control-plane.ts";
import { renderDashboard } from "./grafana-dashboard.ts";
import { SIDECARS } from "./grafana-sidecars.ts";

const folder = resolve(import.meta.dirname, "../deploy/grafana");
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "sidecars.json"), renderDashboard(SIDECARS));
writeFileSync(join(folder, "control-plane.json"), renderDashboard(CONTROL_PLANE));
console.log(`wrote ${folder}`);
