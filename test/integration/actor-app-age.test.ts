import { expect, it } from "vitest";
import { startPlacementDouble } from "../harness/placement-double.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { freePort, startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const CONFIG = JSON.stringify({ entities: ["t"] });
const PATIENCE_MS = 30_000;

/** A process with a sidecar and an app of its own, one after the other, on one store: what was written stays. */
async function startHosts() {
  const folder = await temporaryFolder();
  const placement = await startPlacementDouble();
  const settings = { connectionString: `${folder.path}/state.db`, actorStateStore: "true" };
  return {
    sidecar: (appPort: number): Promise<TestSidecar> =>
      startTestSidecar(
        {
          appId: "counter",
          appPort,
          resources: component("store", "state.sqlite", settings),
          placement: { addresses: [placement.address], disseminationTimeoutMs: 10_000 },
        },
        false,
      ),
    async [Symbol.asyncDispose]() {
      await placement.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Calls two actors, of which the app saves one; resolves to what the app was asked, in order. */
async function called(sidecar: TestSidecar, app: TestApp): Promise<readonly string[]> {
  for (const id of ["written", "unwritten"]) {
    const call = (): Promise<Response> => sidecar.fetch(`/v1.0/actors/t/${id}/method/m`, { method: "POST" });
    await until("the actor answers", async () => (await call()).ok, PATIENCE_MS);
  }
  const body = JSON.stringify([{ operation: "upsert", request: { key: "n", value: 1 } }]);
  expect((await sidecar.fetch("/v1.0/actors/t/written/state", { method: "POST", body })).status).toBe(204);
  return app.requests
    .filter(({ url }) => url.startsWith("/actors/"))
    .map(({ method, url }) => `${method} ${url.split("/")[3] ?? ""}`);
}

it("an app that was there before its sidecar is told to forget actors that were written, one that came after is not", async () => {
  await using hosts = await startHosts();
  for (const told of [[], ["DELETE written"]]) {
    await using app = await startTestApp({ config: CONFIG });
    await using sidecar = await hosts.sidecar(app.port);
    expect(await called(sidecar, app)).toEqual([...told, "PUT written", "PUT unwritten"]);
  }

  const port = await freePort();
  await using sidecar = await hosts.sidecar(port);
  await until("the sidecar has looked for its app", () => sidecar.logger.said(`waiting on port ${port}`));
  await using app = await startTestApp({ config: CONFIG, port });
  expect(await called(sidecar, app)).toEqual(["PUT written", "PUT unwritten"]);
});
