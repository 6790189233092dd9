import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ActorCluster, type ActorMember } from "../harness/actor-cluster.ts";
import { until } from "../harness/until.ts";

/** So many that some of them move to a second host, wherever its port puts it on the ring. */
const IDS = Array.from({ length: 24 }, (_, id) => String(id));

describe("calls under way when a second host joins", () => {
  let cluster: ActorCluster;
  let release: PromiseWithResolvers<void>;
  beforeEach(async () => {
    cluster = await ActorCluster.start();
    release = Promise.withResolvers<void>();
  });
  afterEach(async () => {
    release.resolve();
    await cluster[Symbol.asyncDispose]();
  });

  /** A host in which one call of each actor is under way. */
  async function busyHost(config: Readonly<Record<string, unknown>>) {
    const host = await cluster.add({
      config,
      async answer({ url }) {
        if (url.endsWith("/method/slow")) {
          await release.promise;
          return { body: "done" };
        }
        return undefined;
      },
    });
    await host.ready();
    const calls = IDS.map(async (id) => {
      const reply = await host.actor(`${id}/method/slow`);
      return `${reply.status} ${await reply.text()}`;
    });
    await until("all are under way", () => IDS.every((id) => host.hosts(id)));
    return { host, calls };
  }

  it("end before anybody hears of the new tables", async () => {
    const { host, calls } = await busyHost({ drainOngoingCallTimeout: "45s" });
    const second = await cluster.add();
    await until("the first host drains", () => cluster.placement.phase === "update");
    expect((await second.sidecar.fetch("/v1.0/healthz")).status).toBe(500);
    expect(deactivated(host)).toEqual([]);
    release.resolve();
    expect(await Promise.all(calls)).toEqual(IDS.map(() => "200 done"));
    await second.ready();
    const moved = deactivated(host);
    expect(moved.length).toBeGreaterThan(0);
    for (const id of IDS) {
      await second.actor(`${id}/method/slow`);
    }
    expect(IDS.filter((id) => second.hosts(id))).toEqual(IDS.filter((id) => moved.includes(`/actors/t/${id}`)));
  });

  it.each([
    ["that take longer than drainOngoingCallTimeout", { drainOngoingCallTimeout: "50ms" }],
    ["where drainRebalancedActors is false", { drainOngoingCallTimeout: "45s", drainRebalancedActors: false }],
  ])("%s hold nobody up", async (_, config) => {
    const { host, calls } = await busyHost(config);
    const second = await cluster.add();
    await second.ready();
    release.resolve();
    await Promise.all(calls);
    await until("the app hears of those that have moved", () => deactivated(host).length > 0);
  });
});

function deactivated({ app }: ActorMember): readonly string[] {
  return app.requests.filter(({ method }) => method === "DELETE").map(({ url }) => url);
}
