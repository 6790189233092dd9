import { expect, it } from "vitest";
import { IN_MEMORY } from "../harness/resources.ts";
import { freePort, startTestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

interface Listed {
  readonly programmatic: { readonly state: string };
  readonly subscriptions: readonly { readonly topic: string; readonly state: string; readonly waitingFor?: string }[];
}

const DECLARED = (topic: string, pubsub: string): string => `---
apiVersion: dapr.io/v2alpha1
kind: Subscription
metadata: { name: ${topic} }
spec: { pubsubname: ${pubsub}, topic: ${topic}, routes: { default: /${topic} } }
`;

async function listed(one: TestSidecar): Promise<Listed> {
  return (await (await one.fetch("/outrigger/v1/subscriptions")).json()) as Listed;
}

it("each subscription says whether it is active, or what it waits for", async () => {
  const port = await freePort();
  await using one = await startTestSidecar(
    { appPort: port, resources: IN_MEMORY + DECLARED("orders", "broker") + DECLARED("lost", "elsewhere") },
    false,
  );
  const early = await listed(one);
  expect(early.programmatic).toEqual({ state: "unknown" });
  expect(early.subscriptions).toMatchObject([
    { pubsubname: "broker", topic: "orders", source: "declarative", state: "waiting", waitingFor: "app" },
    { pubsubname: "elsewhere", topic: "lost", source: "declarative", state: "waiting", waitingFor: "component" },
  ]);
  await using _app = await startTestApp({
    port,
    subscriptions: [{ pubsubname: "broker", topic: "asked", route: "/asked" }],
  });
  await one.sidecar.ready;
  const late = await until("the subscriptions are live", async () => {
    const now = await listed(one);
    return now.subscriptions.filter(({ state }) => state === "active").length === 2 && now;
  });
  expect(late.programmatic).toEqual({ state: "known" });
  expect(late.subscriptions.map(({ topic, state, waitingFor }) => [topic, state, waitingFor])).toEqual([
    ["orders", "active", undefined],
    ["lost", "waiting", "component"],
    ["asked", "active", undefined],
  ]);
});
