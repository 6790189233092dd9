import { expect, it } from "vitest";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

it("the public port serves health and metadata and nothing else", async () => {
  await using one = await startTestSidecar({ publicPort: 0, resources: IN_MEMORY });
  const ask = (path: string, init?: RequestInit) =>
    fetch(`http://127.0.0.1:${one.sidecar.ports.public ?? 0}${path}`, init);
  expect((await ask("/v1.0/healthz")).status).toBe(204);
  expect((await ask("/v1.0/healthz/outbound")).status).toBe(204);
  expect(await (await ask("/v1.0/metadata")).json()).toMatchObject({ id: "test-app" });
  expect((await ask("/v1.0/metadata/key", { method: "PUT", body: "value" })).status).toBe(204);
  expect(await (await one.fetch("/v1.0/metadata")).json()).toMatchObject({ extended: { key: "value" } });

  expect((await ask("/v1.0/state/store/key")).status).toBe(404);
  expect((await ask("/v1.0/shutdown", { method: "POST" })).status).toBe(404);
  expect((await ask("/orders", { headers: { "dapr-app-id": "test-app" } })).status).toBe(404);
  expect((await one.fetch("/v1.0/healthz")).status).toBe(204);
});
