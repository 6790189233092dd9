import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { stateDeps } from "../../src/components/in-memory/state-store.fixture.ts";
import { localStorageManifest } from "../../src/components/local-storage/manifest.ts";
import { systemClock } from "../../src/kit/system-clock.ts";
import { bindingsConformance } from "./bindings.ts";

const rootPath = mkdtempSync(join(tmpdir(), "outrigger-localstorage-"));
afterAll(() => rmSync(rootPath, { recursive: true, force: true }));

bindingsConformance({
  manifest: localStorageManifest,
  deps: stateDeps(systemClock),
  metadata: { rootPath },
  object: (name) => ({ fileName: name }),
});
