import { expect, it } from "vitest";
import { ActorCluster } from "../harness/actor-cluster.ts";
import { until } from "../harness/until.ts";

it("a sidecar that stops deactivates the actors that are active, after their turns, and then others have them", async () => {
  await using cluster = await ActorCluster.start();
  const release = Promise.withResolvers<void>();
  const first = await cluster.add({
    config: { entities: ["t", "unused"], drainOngoingCallTimeout: "1m" },
    gracefulShutdownMs: 120_000,
    async answer({ url }) {
      if (url.endsWith("/method/slow")) {
        await release.promise;
      }
      return undefined;
    },
  });
  await first.ready();
  await first.actor("1/method/m");
  const slow = first.actor("2/method/slow");
  await until("the turn has begun", () => first.hosts("2"));
  const stopped = first.sidecar.stop();
  await until(
    "no more calls are taken",
    async () => !(await first.actor("1/method/m").catch(() => ({ ok: false }))).ok,
  );
  expect(first.app.at("/actors/t/2")).toEqual([]);
  release.resolve();
  expect((await slow).status).toBe(200);
  await stopped;
  const deactivated = first.app.requests.filter(({ method }) => method === "DELETE").map(({ url }) => url);
  expect(deactivated.toSorted()).toEqual(["/actors/t/1", "/actors/t/2"]);
  const second = await cluster.add();
  await second.ready();
  expect([(await second.actor("1/method/m")).status, second.hosts("1")]).toEqual([200, true]);
});
