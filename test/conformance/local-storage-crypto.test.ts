import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { cryptoLocalStorageManifest } from "../../src/components/crypto-local-storage/manifest.ts";
import { createDeps } from "../../src/components/in-memory/pubsub.fixture.ts";
import { CONFORMANCE_KEYS, cryptoConformance } from "./crypto.ts";

const folder = mkdtempSync(join(tmpdir(), "outrigger-keys-"));
afterAll(() => rmSync(folder, { recursive: true }));

for (const key of CONFORMANCE_KEYS) {
  writeFileSync(join(folder, `${(key as { kid: string }).kid}.json`), JSON.stringify(key));
}

cryptoConformance({
  manifest: cryptoLocalStorageManifest,
  deps: createDeps().deps,
  metadata: () => ({ path: folder }),
  nameOf: (kid) => `${kid}.json`,
});
