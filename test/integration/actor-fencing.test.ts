import { describe, expect, it } from "vitest";
import { startPlacementDouble } from "../harness/placement-double.ts";
import { redisMissing, redisNote, startRedisServer } from "../harness/redis-server.ts";
import { component, temporaryFolder } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

interface Saved {
  readonly status: number;
  readonly text: string;
}

/** A sidecar with an app of its own, in a part of the network of its own: its placement service knows no other host. */
async function startIsland(resources: string) {
  const placement = await startPlacementDouble();
  const saved: Saved[] = [];
  const state = { gate: Promise.resolve() };
  const started = Promise.withResolvers<TestSidecar>();
  const ask = async (path: string, init?: RequestInit): Promise<Response> =>
    await (await started.promise).fetch(`/v1.0/actors/t/1/${path}`, init);
  const app = await startTestApp({
    config: JSON.stringify({ entities: ["t"] }),
    // Whatever becomes of the transaction, the app says that all is well.
    answer: async ({ method, url }) => {
      if (method !== "PUT" || !url.endsWith("/method/count")) {
        return undefined;
      }
      const count = Number((await (await ask("state/n")).text()) || 0);
      await state.gate;
      const body = JSON.stringify([{ operation: "upsert", request: { key: "n", value: count + 1 } }]);
      const answer = await ask("state", { method: "POST", body });
      saved.push({ status: answer.status, text: await answer.text() });
      return { body: "well" };
    },
  });
  const sidecar = await startTestSidecar({
    appId: "counter",
    appPort: app.port,
    resources,
    placement: { addresses: [placement.address], disseminationTimeoutMs: 10_000 },
  });
  started.resolve(sidecar);
  await until("it is in its tables", async () => (await sidecar.fetch("/v1.0/healthz")).status === 204);
  return {
    app,
    saved,
    state,
    sidecar,
    count: () => ask("method/count", { method: "POST" }),
    read: async (key: string) => await (await ask(`state/${key}`)).text(),
    ask,
    async [Symbol.asyncDispose]() {
      await sidecar.stop();
      await app.close();
      await placement.close();
    },
  };
}

async function losesNothing(resources: string): Promise<void> {
  await using here = await startIsland(resources);
  await using there = await startIsland(resources);
  const gate = Promise.withResolvers<void>();
  here.state.gate = gate.promise;
  const overtaken = here.count();
  await until("the app here has read", () => here.app.at("/actors/t/1/method/count").length === 1);
  await until("the app there has counted", async () => (await there.count()).status === 200);
  gate.resolve();

  const failed = await overtaken;
  const error = await failed.json();
  expect([failed.status, error]).toEqual([
    409,
    {
      errorCode: "ERR_ACTOR_STATE_FENCED",
      message: expect.stringContaining("nothing of the transaction was written: another activation") as string,
    },
  ]);
  expect(here.saved).toEqual([{ status: 409, text: JSON.stringify(error) }]);
  await until("the actor is deactivated here", () =>
    here.app.requests.some(({ method, url }) => method === "DELETE" && url === "/actors/t/1"),
  );
  expect(await there.read("n")).toBe("1");

  expect((await here.count()).status).toBe(200);
  expect(await here.read("n")).toBe("2");
  expect((await there.count()).status).toBe(409);
  expect((await there.count()).status).toBe(200);
  expect(await there.read("n")).toBe("3");
}

describe("of two sidecars that both take an actor for theirs", () => {
  it("the one that was overtaken cannot commit, and goes on from what the other has written (SQLite)", async () => {
    await using folder = await temporaryFolder();
    const settings = { connectionString: `${folder.path}/state.db`, actorStateStore: "true" };
    await losesNothing(component("store", "state.sqlite", settings));
  });

  it.skipIf(redisMissing !== undefined)(
    `the one that was overtaken cannot commit, and goes on from what the other has written (Redis)${redisNote}`,
    async () => {
      await using redis = await startRedisServer();
      const settings = { redisHost: redis.address, actorStateStore: "true", ttlInSeconds: "600" };
      await losesNothing(component("store", "state.redis", settings));
      const fence = "counter||t||1||outrigger.fence";
      expect(await redis.command("HGET", fence, "version")).toContain("3");
      expect(await redis.command("PTTL", "counter||t||1||n")).toMatch(/^:[1-9]/);
      expect(await redis.command("PTTL", fence)).toMatch(/^:-1/);
    },
  );
});

it("the fence row is the runtime's, and the store says that it is fenced", async () => {
  await using folder = await temporaryFolder();
  const settings = { connectionString: `${folder.path}/state.db`, actorStateStore: "true" };
  await using one = await startIsland(component("store", "state.sqlite", settings));
  expect((await one.count()).status).toBe(200);
  expect(await one.read("outrigger.fence")).toMatch(/^"[0-9a-f-]{36}-1"$/);
  for (const operation of ["upsert", "delete"]) {
    const body = JSON.stringify([{ operation, request: { key: "outrigger.fence", value: 1 } }]);
    const refused = await one.ask("state", { method: "POST", body });
    expect([refused.status, await refused.text()]).toEqual([
      400,
      expect.stringContaining("ERR_ACTOR_STATE_KEY_RESERVED"),
    ]);
  }
  const { components } = (await (await one.sidecar.fetch("/outrigger/v1/components")).json()) as {
    components: unknown[];
  };
  expect(components).toEqual([expect.objectContaining({ name: "store", actorState: "fenced" })]);
  const metadata = (await (await one.sidecar.fetch("/v1.0/metadata")).json()) as { components: unknown[] };
  expect(metadata.components).toEqual([
    expect.objectContaining({ capabilities: expect.not.arrayContaining(["FENCED"]) as unknown }),
  ]);
});
