import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { backEndsOf, hostPort } from "./back-ends.ts";
import type { CheckedFinding } from "./finding.ts";
import { type Case, component, findingsOf } from "./set-up.fixture.ts";

const HIDDEN = "nobody-may-read-this";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "doctor-secrets-"));
  writeFileSync(join(folder, "secrets.json"), JSON.stringify({ password: HIDDEN, empty: "" }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const store = (path = join(folder, "secrets.json")): string =>
  component("vault", "secretstores.local.file", { secretsFile: `value: ${path}` });

function user(secret: string, auth = "auth: { secretStore: vault }"): string {
  return component("r", "state.redis", { redisPassword: `secretKeyRef: { name: ${secret}, key: ${secret} }` }, auth);
}

async function secretFindings(given: Case): Promise<readonly CheckedFinding[]> {
  const found = await findingsOf(given);
  expect(JSON.stringify(found)).not.toContain(HIDDEN);
  return found.filter(({ check }) => check === "secrets");
}

it.each([
  ["a secret that is there", "password", "auth: { secretStore: vault }", []],
  [
    "a secret that is empty",
    "empty",
    "auth: { secretStore: vault }",
    [/secret empty\/empty of vault is empty or not there/],
  ],
  [
    "a secret that is not there",
    "nothing",
    "auth: { secretStore: vault }",
    [/secret nothing\/nothing of vault cannot be read/],
  ],
  ["no store", "password", "", [/component r refers to secrets and names no secret store/]],
  [
    "a store that there is not",
    "password",
    "auth: { secretStore: valt }",
    [/names the secret store valt, which this app/],
  ],
])("looks up secrets: %s", async (_name, secret, auth, wanted) => {
  const found = await secretFindings({ files: { "a.yaml": store(), "b.yaml": user(secret, auth) } });
  expect(found).toHaveLength(wanted.length);
  for (const [index, pattern] of wanted.entries()) {
    expect(found[index]?.what).toMatch(pattern);
    expect(found[index]?.where).toMatch(/^b\.yaml:\d+$/);
    expect(found[index]?.severity).toBe("error");
  }
});

it("says that a secret store does not come up", async () => {
  const found = await secretFindings({ files: { "a.yaml": store("/nowhere.json"), "b.yaml": user("password") } });
  expect(found.map(({ what }) => what)).toEqual([
    "component r waits for the secret store vault, which does not come up",
  ]);
});

it("tells once what is wrong for several apps", async () => {
  const files = { "a.yaml": store(), "b.yaml": user("nothing") };
  const found = await secretFindings({ files, apps: { shop: {}, stock: {} } });
  expect(found).toHaveLength(1);
  expect(found[0]?.app).toBeUndefined();
});

it("looks up environment variables, and says none of their values", async () => {
  const files = {
    "a.yaml": component("r", "state.redis", { redisHost: "envRef: REDIS", redisPassword: "envRef: PASSWORD" }),
  };
  const environment = { REDIS: "redis.test", PASSWORD: HIDDEN };
  expect(await secretFindings({ files, environment })).toEqual([]);
  expect((await secretFindings({ files, environment: { REDIS: "redis.test" } })).map(({ what }) => what)).toEqual([
    "field redisPassword of component r is the variable PASSWORD, which is not set",
  ]);
  const forbidden = { "a.yaml": component("r", "state.redis", { redisPassword: "envRef: APP_API_TOKEN" }) };
  const found = await secretFindings({ files: forbidden, environment: { APP_API_TOKEN: HIDDEN } });
  expect(found.map(({ what }) => what)).toEqual([
    "field redisPassword of component r is the variable APP_API_TOKEN, which components may not read",
  ]);
});

it.each<[string, string, Record<string, string>, string[]]>([
  ["Redis by default", "state.redis", {}, ["localhost:6379"]],
  ["Redis with a port apart", "pubsub.redis", { redisHost: "a", redisPort: "1" }, ["a:1"]],
  ["etcd", "state.etcd", { endpoints: "a:1, b" }, ["a:1", "b:2379"]],
  ["PostgreSQL by URL", "bindings.postgresql", { url: "postgres://u:p@db.test/x" }, ["db.test:5432"]],
  ["PostgreSQL by words", "bindings.postgresql", { connectionString: "user=u host=db port=1 password=p" }, ["db:1"]],
  ["PostgreSQL by a socket", "bindings.postgresql", { connectionString: "host=/run/pg" }, []],
  ["a URL", "bindings.http", { url: "https://[::1]/x" }, ["::1:443"]],
  ["no server", "state.in-memory", { keyPrefix: "name" }, []],
])("knows where a component connects to: %s", (_name, type, fields, wanted) => {
  const metadata = Object.entries(fields).map(([name, value]) => ({
    name,
    value,
    envRef: "",
    secretKeyRef: undefined,
  }));
  expect(backEndsOf({ type, metadata }, {}).map(({ host, port }) => `${host}:${port}`)).toEqual(wanted);
});

it("takes addresses apart", () => {
  expect(hostPort("a", 5)).toEqual({ host: "a", port: 5 });
  expect(hostPort("[::1]:7", 5)).toEqual({ host: "::1", port: 7 });
  expect(hostPort("dns:///a:7", 5)).toBeUndefined();
  expect(hostPort("a:b:c", 5)).toBeUndefined();
});

it("says of every address that nobody is there, once for each who needs it", async () => {
  const files = {
    "a.yaml": component("r", "state.redis", { redisHost: "value: redis.test:6379" }),
    "b.yaml":
      "apiVersion: dapr.io/v1alpha1\nkind: HTTPEndpoint\nmetadata: { name: web }\nspec: { baseUrl: https://web.test }\n",
  };
  const apps = {
    shop: {
      placement: { addresses: ["placement.test"], disseminationTimeoutMs: 1 },
      scheduler: { addresses: ["scheduler.test:7"], jobStreams: 1 },
    },
  };
  const lookups: string[] = [];
  const world = {
    lookupFault: (host: string) => {
      lookups.push(host);
      return Promise.resolve(host === "web.test" ? "there is no such name" : undefined);
    },
    connectFault: (host: string) => Promise.resolve(host === "scheduler.test" ? undefined : "nobody listens there"),
  };
  const found = (await findingsOf({ files, apps, world })).filter(({ check }) => check === "reachability");
  expect(found.map(({ what, where }) => [what, where])).toEqual([
    [
      "the placement service at placement.test:50005 cannot be reached: nobody listens there",
      "--placement-host-address",
    ],
    ["what component r (state.redis/v1) is on at redis.test:6379 cannot be reached: nobody listens there", "a.yaml:1"],
    ["HTTPEndpoint web at web.test:443 cannot be reached: there is no such name", "b.yaml:4"],
  ]);
  expect(lookups).toHaveLength(4);
  expect((await findingsOf({ files, apps })).filter(({ check }) => check === "reachability")).toEqual([]);
});
