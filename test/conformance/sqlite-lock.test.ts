import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { createDeps } from "../../src/components/in-memory/pubsub.fixture.ts";
import { sqliteLockManifest } from "../../src/components/sqlite/lock-manifest.ts";
import { lockConformance } from "./lock.ts";

const folder = mkdtempSync(join(tmpdir(), "outrigger-lock-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { deps, clock } = createDeps();

lockConformance({
  manifest: sqliteLockManifest,
  deps,
  metadata: { connectionString: join(folder, "locks.db") },
  elapse: async (ms) => clock.advance(ms),
});
