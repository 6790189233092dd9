import { expect, it } from "vitest";
import { ActorCluster, type ActorMember } from "../harness/actor-cluster.ts";
import type { AppRequest } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

const DEPTH = 4;

/** So many that both hosts have some. */
const IDS = Array.from({ length: 24 }, (_, id) => String(id));

/**
 * Two hosts whose actors call the next one of the path in their body, as part of the same chain: `a/b/a` is a call of b
 * within one of a within one of b.
 */
async function chains(cluster: ActorCluster, reentrancy: Readonly<Record<string, unknown>>) {
  const members: ActorMember[] = [];
  const chained = (index: number) => async (request: AppRequest) => {
    const [next, ...rest] = request.body === "" ? [] : request.body.split("/");
    if (next === undefined || request.method !== "PUT") {
      return {};
    }
    const id = String(request.headers["dapr-reentrancy-id"] ?? "");
    const headers: Record<string, string> = id === "" ? {} : { "Dapr-Reentrancy-Id": id };
    const reply = await members[index]?.actor(`${next}/method/m`, undefined, { headers, body: rest.join("/") });
    return { status: reply?.status ?? 0, body: (await reply?.text()) ?? "" };
  };
  for (const index of [0, 1]) {
    const member = await cluster.add({ config: { reentrancy }, answer: chained(index) });
    await member.ready();
    members.push(member);
  }
  const [first, second] = members as [ActorMember, ActorMember];
  for (const id of IDS) {
    await first.actor(`${id}/method/m`);
  }
  const here = await until("one actor is here", () => IDS.find((id) => first.hosts(id)));
  const there = await until("one is there", () => IDS.find((id) => second.hosts(id)));
  return { first, here, there };
}

it("a chain of calls over two sidecars comes back into an actor, as deep as its type allows, and no deeper", async () => {
  await using cluster = await ActorCluster.start();
  const { first, here, there } = await chains(cluster, { enabled: true, maxStackDepth: DEPTH });
  const deep = (calls: number) =>
    first.actor(`${here}/method/m`, undefined, {
      body: Array.from({ length: calls - 1 }, (_, index) => (index % 2 === 0 ? there : here)).join("/"),
    });
  expect((await deep(2 * DEPTH)).status).toBe(200);
  const tooDeep = await deep(2 * DEPTH + 1);
  expect([tooDeep.status, await tooDeep.text()]).toEqual([
    500,
    expect.stringContaining("maximum stack depth exceeded"),
  ]);
  expect((await deep(2 * DEPTH)).status).toBe(200);
});

it("a call without the chain's id waits until the turn is over", async () => {
  await using cluster = await ActorCluster.start();
  const release = Promise.withResolvers<void>();
  const member = await cluster.add({
    config: { reentrancy: { enabled: true } },
    async answer({ url }) {
      if (url.endsWith("/method/slow")) {
        await release.promise;
      }
      return undefined;
    },
  });
  await member.ready();
  const slow = member.actor("1/method/slow", undefined, { headers: { "Dapr-Reentrancy-Id": "chain" } });
  await until("the turn has begun", () => member.hosts("1"));
  const other = member.actor("1/method/other");
  const same = await member.actor("1/method/same", undefined, { headers: { "Dapr-Reentrancy-Id": "chain" } });
  expect([same.status, member.app.at("/actors/t/1/method/other")]).toEqual([200, []]);
  release.resolve();
  expect([(await slow).status, (await other).status]).toEqual([200, 200]);
});
