import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { createDeps } from "../../src/components/in-memory/pubsub.fixture.ts";
import type { SharedScope } from "../../src/components/spi/component.ts";
import { sqlitePubSubManifest } from "../../src/components/sqlite/pubsub-manifest.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { pubsubConformance } from "./pubsub.ts";

const folder = mkdtempSync(join(tmpdir(), "outrigger-pubsub-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { deps } = createDeps({ clock: systemClock });
/** Instances share nothing but the file, as those of several processes. */
const apart: SharedScope = { acquire: (_, create) => create() };

describe.each([
  ["in a file", { connectionString: join(folder, "broker.db") }, deps],
  ["in a file, each instance for itself", { connectionString: join(folder, "apart.db") }, { ...deps, shared: apart }],
  ["without a write-ahead log", { connectionString: `file:${join(folder, "journal.db")}`, disableWAL: "true" }, deps],
])("%s", (_, metadata, given) => {
  pubsubConformance({
    manifest: sqlitePubSubManifest,
    deps: given,
    metadata: { ...metadata, backOffInitialInterval: "20ms", pollInterval: "10ms" },
    behaviours: ["redelivery", "competing consumers", "durability", "delayed delivery"],
  });
});
