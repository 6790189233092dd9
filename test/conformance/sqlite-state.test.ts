import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { stateDeps } from "../../src/components/in-memory/state-store.fixture.ts";
import { sqliteStateManifest } from "../../src/components/sqlite/state-manifest.ts";
import { VirtualClock } from "../../src/kit/virtual-clock.fixture.ts";
import { stateConformance } from "./state.ts";

const folder = mkdtempSync(join(tmpdir(), "outrigger-state-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([
  ["in a file", { connectionString: join(folder, "wal.db") }],
  [
    "without a write-ahead log",
    { connectionString: `file:${join(folder, "journal.db")}?mode=rwc`, disableWAL: "true" },
  ],
  ["in memory", { connectionString: ":memory:" }],
])("%s", (_, metadata) => {
  const clock = new VirtualClock();
  stateConformance({
    manifest: sqliteStateManifest,
    deps: stateDeps(clock),
    metadata,
    elapse: async (ms) => clock.advance(ms),
  });
});
