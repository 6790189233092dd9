import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PlacementDouble, startPlacementDouble } from "../harness/placement-double.ts";
import { temporaryFolder } from "../harness/resources.ts";
import { startTestApp, type TestApp } from "../harness/test-app.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const RESOURCES = (path: string) => `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: store }
spec:
  type: state.sqlite
  version: v1
  metadata:
    - { name: connectionString, value: "${path}" }
    - { name: actorStateStore, value: "true" }
`;

/** So many that each of two sidecars has some. */
const IDS = Array.from({ length: 24 }, (_, id) => `many-${id}`);

const CONFIG = JSON.stringify({ entities: ["t"], reentrancy: { enabled: true } });

describe("actors of two sidecars", () => {
  let placement: PlacementDouble;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const apps: TestApp[] = [];
  const sidecars: TestSidecar[] = [];
  let database = "";

  beforeAll(async () => {
    placement = await startPlacementDouble();
    folder = await temporaryFolder();
    database = `${folder.path}/state.db`;
    const addMember = async (): Promise<void> => {
      const app = await startTestApp({
        config: CONFIG,
        answer: ({ method, url, headers }) => {
          if (url.endsWith("/method/fails")) {
            return { status: 400, body: "no" };
          }
          if (url.endsWith("/method/unsound")) {
            return { headers: { "X-DaprErrorResponseHeader": "true", "x-kind": "unsound" }, body: "why" };
          }
          return method === "PUT"
            ? { headers: { "content-type": "text/plain" }, body: String(headers["dapr-reentrancy-id"]) }
            : {};
        },
      });
      apps.push(app);
      sidecars.push(
        await startTestSidecar({
          appId: "counter",
          appPort: app.port,
          resources: RESOURCES(database),
          placement: { addresses: [placement.address], disseminationTimeoutMs: 10_000 },
        }),
      );
    };
    await addMember();
    await addMember();
    await until("both are in the tables", async () => {
      const answers = await Promise.all(sidecars.map(async (sidecar) => await sidecar.fetch("/v1.0/healthz")));
      return answers.every(({ status }) => status === 204) || undefined;
    });
  });
  afterAll(async () => {
    await Promise.all(sidecars.map((sidecar) => sidecar.stop()));
    await Promise.all(apps.map((app) => app.close()));
    await placement.close();
    await folder[Symbol.asyncDispose]();
  });

  const call = (sidecar: number, path: string, init: RequestInit = { method: "POST" }): Promise<Response> =>
    sidecars[sidecar]?.fetch(`/v1.0/actors/t/${path}`, init) ?? Promise.reject(new Error("no sidecar"));
  const ownerOf = (id: string): number =>
    apps.findIndex(({ requests }) => requests.some(({ url }) => url.startsWith(`/actors/t/${id}/`)));

  it("are called where they live, whichever sidecar is asked", async () => {
    for (const id of IDS) {
      const answers = await Promise.all([0, 1].map((sidecar) => call(sidecar, `${id}/method/m?q=1`)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      const reached = apps.flatMap(({ requests }) => requests.filter(({ url }) => url.startsWith(`/actors/t/${id}/`)));
      expect(reached.map(({ method, url }) => [method, url])).toEqual(
        Array(2).fill(["PUT", `/actors/t/${id}/method/m?q=1`]),
      );
      expect(apps.filter((app) => app.requests.some(({ url }) => url.startsWith(`/actors/t/${id}/`)))).toHaveLength(1);
    }
    expect(new Set(IDS.map(ownerOf)).size).toBe(2);
  });

  it("get an id for the chain of calls that they are in", async () => {
    expect(await (await call(0, "7/method/m")).text()).toMatch(/^[0-9a-f-]{36}$/);
    const headers = { "Dapr-Reentrancy-Id": "mine" };
    expect(await (await call(1, "7/method/m", { method: "POST", headers })).text()).toBe("mine");
  });

  it.each([0, 1])("tell their failures in Dapr's words (%i)", async (sidecar) => {
    const failed = await call(sidecar, "8/method/fails");
    expect(failed.status).toBe(500);
    expect(await failed.text()).toContain("error from actor service: (400) no");
    const unsound = await call(sidecar, "8/method/unsound");
    expect([unsound.status, unsound.headers.get("x-kind"), await unsound.text()]).toEqual([200, "unsound", "why"]);
    const nowhere = await sidecars[sidecar]?.fetch("/v1.0/actors/dapr.internal.x/1/state/k");
    expect([nowhere?.status, await nowhere?.text()]).toEqual([403, expect.stringContaining("ERR_ACTOR_TYPE_RESERVED")]);
  });

  it("keep their state under Dapr's keys, and only where they live", async () => {
    await call(0, "9/method/m");
    const owner = ownerOf("9");
    const body = JSON.stringify([{ operation: "upsert", request: { key: "k", value: { n: 1 } } }]);
    expect((await call(owner, "9/state", { method: "POST", body })).status).toBe(204);
    const elsewhere = await call(1 - owner, "9/state", { method: "POST", body });
    expect([elsewhere.status, await elsewhere.text()]).toEqual([
      400,
      '{"errorCode":"ERR_ACTOR_INSTANCE_MISSING","message":"actor instance is missing"}',
    ]);
    expect(await (await call(1 - owner, "9/state/k", {})).text()).toBe('{"n":1}');
    expect((await call(owner, "9/state/none", {})).status).toBe(204);
    const db = new DatabaseSync(database, { readOnly: true });
    expect(db.prepare("SELECT key FROM state ORDER BY key").all()).toEqual([
      { key: "counter||t||9||k" },
      { key: "counter||t||9||outrigger.fence" },
    ]);
    db.close();
  });

  it("get their timers' ticks, as often as they asked for", async () => {
    await call(0, "10/method/m");
    const owner = ownerOf("10");
    const body = JSON.stringify({ dueTime: "0s", period: "R2/PT0S", callback: "c", data: { a: 1 } });
    expect((await call(owner, "10/timers/n", { method: "POST", body })).status).toBe(204);
    const app = apps[owner];
    const [tick] = await until("the timer has fired", () => {
      const ticks = app?.at("/actors/t/10/method/timer/n") ?? [];
      return ticks.length > 0 ? ticks : undefined;
    });
    expect(tick?.body).toBe('{"data":{"a":1},"callback":"c","dueTime":"0s","period":"R2/PT0S"}');
  });

  it("show in the metadata where they are active", async () => {
    const metadata = await Promise.all(
      sidecars.map(
        async (sidecar) => (await (await sidecar.fetch("/v1.0/metadata")).json()) as Record<string, unknown>,
      ),
    );
    expect(metadata).toMatchObject(
      Array(2).fill({
        actorRuntime: { runtimeStatus: "RUNNING", hostReady: true, placement: "placement: connected" },
        actors: [{ type: "t" }],
      }),
    );
  });
});
