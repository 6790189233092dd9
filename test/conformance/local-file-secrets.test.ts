import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { stateDeps } from "../../src/components/in-memory/state-store.fixture.ts";
import { localFileManifest } from "../../src/components/local-file/manifest.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { secretStoresConformance } from "./secretstores.ts";

const folder = mkdtempSync(join(tmpdir(), "outrigger-secrets-"));
const secretsFile = join(folder, "secrets.json");
writeFileSync(secretsFile, JSON.stringify({ plain: "one", redis: { password: "héllo" } }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

secretStoresConformance({
  manifest: localFileManifest,
  deps: stateDeps(systemClock),
  metadata: { secretsFile },
  secrets: { plain: { plain: "one" }, "redis:password": { "redis:password": "héllo" } },
  missing: { error: (name) => `secret ${name} not found` },
});

secretStoresConformance({
  manifest: localFileManifest,
  deps: stateDeps(systemClock),
  metadata: { secretsFile, multiValued: "true" },
  secrets: { plain: { plain: "one" }, redis: { password: "héllo" } },
  missing: { error: (name) => `secret ${name} not found` },
});
