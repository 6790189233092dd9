import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { createDeps } from "../../src/components/in-memory/pubsub.fixture.ts";
import { sqliteNameResolutionManifest } from "../../src/components/sqlite/name-resolution-manifest.ts";
import { nameResolutionConformance } from "./name-resolution.ts";

const folder = mkdtempSync(join(tmpdir(), "outrigger-names-"));
afterAll(() => rmSync(folder, { recursive: true }));

nameResolutionConformance({
  manifest: sqliteNameResolutionManifest,
  deps: () => createDeps().deps,
  metadata: () => ({ connectionString: join(folder, "names.db") }),
});
