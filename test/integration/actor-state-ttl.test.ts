import { expect, it } from "vitest";
import { ActorCluster } from "../harness/actor-cluster.ts";
import { configuration } from "../harness/resources.ts";
import { until } from "../harness/until.ts";

const FEATURE = configuration("  features:\n    - { name: ActorStateTTL, enabled: true }\n");

it("actor state with a time to live says when it expires, and does", async () => {
  await using cluster = await ActorCluster.start();
  const member = await cluster.add({ configuration: FEATURE });
  await member.ready();
  await member.actor("1/method/m");
  const upsert = (key: string, ttlInSeconds: string) => ({
    operation: "upsert",
    request: { key, value: 1, metadata: { ttlInSeconds } },
  });
  expect((await member.actor("1/state", [upsert("soon", "1"), upsert("later", "3600")])).status).toBe(204);
  const read = (key: string): Promise<Response> => member.actor(`1/state/${key}`, undefined, { method: "GET" });
  const later = await read("later");
  const expiry = Date.parse(later.headers.get("metadata.ttlexpiretime") ?? "");
  expect([later.status, await later.text()]).toEqual([200, "1"]);
  expect(Math.abs(expiry - Date.now() - 3_600_000)).toBeLessThan(60_000);
  await until("the other one has expired", async () => (await read("soon")).status === 204);
});

it("without the feature a time to live is refused", async () => {
  await using cluster = await ActorCluster.start();
  const member = await cluster.add();
  await member.ready();
  await member.actor("1/method/m");
  const request = { key: "k", value: 1, metadata: { ttlInSeconds: "1" } };
  const refused = await member.actor("1/state", [{ operation: "upsert", request }]);
  expect([refused.status, await refused.text()]).toEqual([500, expect.stringContaining("ActorStateTTL")]);
});
