import { expect, it } from "vitest";
import { ActorCluster } from "../harness/actor-cluster.ts";
import { until } from "../harness/until.ts";

it("calls, timers and reminders of one actor come one at a time, from whichever sidecar; other actors do not wait", async () => {
  await using cluster = await ActorCluster.start({ scheduler: [] });
  const within = new Map<string, number>();
  let most = 0;
  const releases: (() => void)[] = [];
  const host = await cluster.add({
    async answer({ method, url }) {
      const id = url.split("/")[3] ?? "";
      if (method !== "PUT") {
        return undefined;
      }
      within.set(id, (within.get(id) ?? 0) + 1);
      most = Math.max(most, within.get(id) ?? 0);
      if (id === "busy") {
        await new Promise<void>((resolve) => releases.push(resolve));
      }
      within.set(id, (within.get(id) ?? 0) - 1);
      return undefined;
    },
  });
  const peer = await cluster.addSidecar();
  await host.ready();
  const calls = [host.actor("busy/method/here"), peer.fetch("/v1.0/actors/t/busy/method/there", { method: "POST" })];
  await host.actor("busy/timers/n", { dueTime: "0s" });
  await host.actor("busy/reminders/n", { dueTime: "0s" });
  expect((await host.actor("idle/method/m")).status).toBe(200);
  for (const turn of [1, 2, 3, 4]) {
    const release = await until(`turn ${turn} has begun`, () => releases[turn - 1]);
    expect([within.get("busy"), releases.length]).toEqual([1, turn]);
    release();
  }
  expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200]);
  const paths = host.app.requests.filter(({ url }) => url.startsWith("/actors/t/busy/method/")).map(({ url }) => url);
  expect(paths.toSorted()).toEqual(
    ["here", "remind/n", "there", "timer/n"].map((method) => `/actors/t/busy/method/${method}`),
  );
  expect(most).toBe(1);
});
