import { expect, it } from "vitest";
import { ActorCluster } from "../harness/actor-cluster.ts";
import { until } from "../harness/until.ts";

it("a reminder that fails is repeated as its failure policy says", async () => {
  await using cluster = await ActorCluster.start({ scheduler: [] });
  const member = await cluster.add({
    answer: ({ url }) => (url.includes("/remind/") && !url.endsWith("/last") ? { status: 500 } : undefined),
  });
  await member.ready();
  const tries = (name: string): number => member.app.at(`/actors/t/1/method/remind/${name}`).length;
  const make = async (name: string, failurePolicy: unknown): Promise<void> => {
    expect((await member.actor(`1/reminders/${name}`, { dueTime: "0s", failurePolicy })).status).toBe(204);
  };
  const isGone = async (name: string): Promise<boolean> =>
    (await member.actor(`1/reminders/${name}`, undefined, { method: "GET" })).status === 404;

  await make("dropped", { drop: {} });
  await make("twice", { constant: { interval: "0.05s", maxRetries: 2 } });
  await make("forever", { constant: { interval: "0.05s" } });
  await make("unset", undefined);
  await until("the dropped one is gone", () => isGone("dropped"));
  await until("the one with two retries is gone", () => isGone("twice"));
  await until("the one without a policy has been tried three times more", async () => await isGone("unset"));
  await until("the one without a limit goes on", () => tries("forever") > 5);
  expect([tries("dropped"), tries("twice"), tries("unset")]).toEqual([1, 3, 4]);
});
