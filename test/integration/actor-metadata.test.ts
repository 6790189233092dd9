import { expect, it } from "vitest";
import { ActorCluster } from "../harness/actor-cluster.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

async function actorRuntime(sidecar: TestSidecar): Promise<unknown> {
  return ((await (await sidecar.fetch("/v1.0/metadata")).json()) as { readonly actorRuntime: unknown }).actorRuntime;
}

it("the metadata tell whether actors can be hosted, and which are active", async () => {
  await using cluster = await ActorCluster.start();
  const member = await cluster.add({ config: { entities: ["t", "u"] } });
  await member.ready();
  await member.actor("1/method/m");
  await member.actor("2/method/m");
  expect(await actorRuntime(member.sidecar)).toEqual({
    runtimeStatus: "RUNNING",
    activeActors: [{ type: "t", count: 2 }, { type: "u" }],
    hostReady: true,
    placement: "placement: connected",
  });
  const client = await cluster.addSidecar();
  await until("it has tables", async () => (await client.fetch("/v1.0/healthz")).status === 204);
  expect(await actorRuntime(client)).toMatchObject({ runtimeStatus: "RUNNING", placement: "placement: connected" });
});

it("without a placement service there are none", async () => {
  await using sidecar = await startTestSidecar();
  expect(await actorRuntime(sidecar)).toMatchObject({
    runtimeStatus: "DISABLED",
    placement: "placement: disconnected",
  });
  const refused = await sidecar.fetch("/v1.0/actors/t/1/method/m", { method: "POST" });
  expect([refused.status, await refused.text()]).toEqual([
    400,
    '{"errorCode":"ERR_ACTOR_NO_PLACEMENT","message":"placement service is not configured"}',
  ]);
});
