import { expect, it } from "vitest";
import { ActorCluster } from "../harness/actor-cluster.ts";
import { until } from "../harness/until.ts";

it("an actor that nobody calls is deactivated when its type's idle time is over, and called anew it is active again", async () => {
  await using cluster = await ActorCluster.start();
  const member = await cluster.add({
    config: {
      entities: ["t", "stays"],
      actorIdleTimeout: "1h",
      entitiesConfig: [{ entities: ["t"], actorIdleTimeout: "100ms" }],
    },
  });
  await member.ready();
  await member.sidecar.fetch("/v1.0/actors/stays/1/method/m", { method: "POST" });
  const seen = (method: string) => member.app.requests.filter((one) => one.method === method).map(({ url }) => url);
  for (const times of [1, 2]) {
    expect((await member.actor("1/method/m")).status).toBe(200);
    await until("it is deactivated", () => seen("DELETE").length === times);
  }
  expect(seen("DELETE")).toEqual(["/actors/t/1", "/actors/t/1"]);
  const metadata = await (await member.sidecar.fetch("/v1.0/metadata")).json();
  expect(metadata).toMatchObject({ actors: [{ type: "t" }, { type: "stays", count: 1 }] });
});

it("an actor is not idle while its turn runs", async () => {
  await using cluster = await ActorCluster.start();
  const release = Promise.withResolvers<void>();
  const member = await cluster.add({
    config: { actorIdleTimeout: "20ms" },
    async answer({ url }) {
      if (url === "/actors/t/slow/method/m") {
        await release.promise;
      }
      return undefined;
    },
  });
  await member.ready();
  const slow = member.actor("slow/method/m");
  await until("its turn runs", () => member.hosts("slow"));
  await member.actor("quick/method/m");
  await until("the other one is idle", () => member.app.at("/actors/t/quick").length === 1);
  expect(member.app.at("/actors/t/slow")).toEqual([]);
  release.resolve();
  expect((await slow).status).toBe(200);
  await until("it is idle", () => member.app.at("/actors/t/slow").length === 1);
});
