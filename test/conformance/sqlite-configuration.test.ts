import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll } from "vitest";
import { createDeps } from "../../src/components/in-memory/pubsub.fixture.ts";
import { sqliteConfigurationManifest } from "../../src/components/sqlite/configuration-manifest.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { configurationConformance } from "./configuration.ts";

const folder = mkdtempSync(join(tmpdir(), "outrigger-configuration-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, "settings.db");

/** Writes as an operator with a tool of SQLite does. */
function edit(sql: string, ...values: string[]): void {
  const database = new DatabaseSync(file, { timeout: 2_000 });
  database.prepare(sql).run(...values);
  database.close();
}

configurationConformance({
  manifest: sqliteConfigurationManifest,
  deps: createDeps({ clock: systemClock }).deps,
  metadata: { connectionString: file, pollInterval: "5ms" },
  put: async (key, value, version) =>
    edit("REPLACE INTO configuration (key, value, version) VALUES (?, ?, ?)", key, value, version),
  remove: async (key) => edit("DELETE FROM configuration WHERE key = ?", key),
});
