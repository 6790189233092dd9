import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { postgresqlBindingsManifest } from "../../src/components/postgresql/bindings-manifest.ts";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

const { cache } = createRequire(import.meta.url);

/** Whether any file of PostgreSQL's client has been evaluated in this process. */
function isClientLoaded(): boolean {
  return Object.keys(cache).some((file) => file.includes("/node_modules/pg/"));
}

it("PostgreSQL's client is loaded by the first component that needs it, not at start", async () => {
  await using one = await startTestSidecar({ resources: IN_MEMORY });
  expect((await one.fetch("/v1.0/healthz")).status).toBe(204);
  expect(isClientLoaded()).toBe(false);
  await postgresqlBindingsManifest.load();
  expect(isClientLoaded()).toBe(true);
});
