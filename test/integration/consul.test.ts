import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createConsulNameResolver } from "../../src/components/consul/resolver.ts";
import type { NameResolver } from "../../src/components/spi/name-resolution.ts";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import { systemRandom } from "../../src/kit/random.ts";
import { VirtualClock } from "../../src/kit/virtual-clock.fixture.ts";
import { SELF_SIGNED_CERT, SELF_SIGNED_KEY } from "../../src/net/http/self-signed.fixture.ts";
import { type ConsulAgent, type ConsulService, type ConsulTrouble, startConsulAgent } from "../harness/consul-agent.ts";
import { type RecordingLogger, recordingLogger } from "../harness/recording-logger.ts";
import { configuration, temporaryFolder } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

const shop = (number: number, over: Partial<ConsulService> = {}): ConsulService => ({
  ID: `shop-${number}`,
  Name: "shop",
  Address: `10.0.0.${number}`,
  Meta: { DAPR_PORT: "50002" },
  ...over,
});

let agent: ConsulAgent;
let clock: VirtualClock;
let logger: RecordingLogger;
const opened: NameResolver[] = [];

beforeEach(async () => {
  agent = await startConsulAgent();
  clock = new VirtualClock();
  logger = recordingLogger();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((resolver) => resolver.close()));
  await agent[Symbol.asyncDispose]();
});

async function open(metadata: Readonly<Record<string, string>> = {}, environment = {}): Promise<NameResolver> {
  const resolver = createConsulNameResolver({
    name: "consul",
    appId: "shop",
    namespace: "default",
    logger,
    clock,
    random: systemRandom,
    environment: { CONSUL_HTTP_ADDR: `127.0.0.1:${agent.port}`, ...environment },
    shared: createSharedScope(),
    report() {},
  });
  opened.push(resolver);
  await resolver.init(metadata, new AbortController().signal);
  return resolver;
}

const instance = {
  appId: "shop",
  namespace: "default",
  address: "10.0.0.7",
  internalGrpcPort: 50002,
  httpPort: 3500,
  appPort: 8080,
};
const resolve = (resolver: NameResolver, appId = "shop") => resolver.resolve({ appId, namespace: "default" });
const said = () => logger.lines.map(({ message }) => message);

describe("registration", () => {
  it("is Dapr's: id, address, port, the sidecar's health, and its internal port in the meta", async () => {
    const resolver = await open({
      selfRegister: "true",
      selfDeregister: "true",
      tags: '["blue"]',
      meta: '{"zone":"a"}',
    });
    await resolver.announce(instance);
    expect([...agent.services.values()]).toEqual([
      {
        ID: "shop-10.0.0.7-3500",
        Name: "shop",
        Address: "10.0.0.7",
        Port: 8080,
        Tags: ["blue"],
        Meta: { zone: "a", DAPR_PORT: "50002" },
        Checks: [
          {
            Name: "Dapr Health Status",
            CheckID: "daprHealth:shop-10.0.0.7-3500",
            Interval: "15s",
            HTTP: "http://10.0.0.7:3500/v1.0/healthz?appid=shop",
          },
        ],
      },
    ]);
    expect(await resolve(resolver)).toBe("10.0.0.7:50002");
    await resolver.close();
    expect(agent.services.size).toBe(0);
    expect(said()).toEqual(["service:shop registered on consul agent", "deregistered service from consul"]);
  });

  it("stays when the sidecar stops, unless selfDeregister says otherwise", async () => {
    const resolver = await open({ selfRegister: "true" });
    await resolver.announce(instance);
    await resolver.close();
    expect(agent.services.size).toBe(1);
  });

  it("is what the configuration says, in any case of its names, with a key of its own for the port", async () => {
    const resolver = await open({
      daprPortMetaKey: "PORT",
      advancedRegistration: JSON.stringify({
        name: "shop",
        id: "own",
        address: "::1",
        check: { checkID: "c", args: ["true"], interval: "1s" },
        connect: { sidecarService: { name: "proxy" } },
      }),
    });
    await resolver.announce(instance);
    expect(agent.services.get("own")).toEqual({
      Name: "shop",
      ID: "own",
      Address: "::1",
      Check: { CheckID: "c", Interval: "1s", ScriptArgs: ["true"] },
      Connect: { SidecarService: { Name: "proxy" } },
      Meta: { PORT: "50002" },
    });
    expect(await resolve(resolver)).toBe("[::1]:50002");
  });

  it("waits for an agent that is not there yet, and is made again where the agent has lost it", async () => {
    agent.trouble = "status 500";
    const resolver = await open({ selfRegister: "true" });
    await resolver.announce(instance);
    expect(said().at(-1)).toMatch(
      /^failed to register consul service: Unexpected response code: 500 \(No cluster leader\); it is tried again in 1000 ms$/,
    );
    agent.trouble = undefined;
    clock.advance(1_000);
    await until("it is registered", () => agent.services.has("shop-10.0.0.7-3500"));
    await until("that is told", () => said().includes("service:shop registered on consul agent"));
    agent.forgetAll();
    clock.advance(30_000);
    await until("it is registered again", () => agent.services.has("shop-10.0.0.7-3500"));
  });
});

describe("resolution", () => {
  it("asks the agent for healthy instances as the configuration says, and picks among them", async () => {
    agent.register(shop(1));
    agent.register(shop(2, { Address: "" }));
    agent.register(shop(3));
    agent.setHealthy("shop-3", false);
    const resolver = await open({ client: JSON.stringify({ datacenter: "dc2" }) });
    const given = new Set<string>();
    for (let count = 0; count < 60; count += 1) given.add(await resolve(resolver));
    expect([...given].toSorted()).toEqual(["10.0.0.1:50002", "127.0.0.9:50002"]);
    expect(agent.requests.at(-1)).toBe("GET /v1/health/service/shop?passing=1&cached=&dc=dc2");
  });

  it("passes query options on", async () => {
    agent.register(shop(1));
    const resolver = await open({
      queryOptions: JSON.stringify({
        useCache: true,
        maxAge: 5_000_000_000,
        filter: 'Checks.ServiceTags contains "dapr"',
        allowStale: true,
        nodeMeta: { a: "b" },
        token: "t",
      }),
    });
    await resolve(resolver);
    expect(agent.requests.at(-1)).toBe(
      "GET /v1/health/service/shop?passing=1&filter=Checks.ServiceTags+contains+%22dapr%22&stale=&node-meta=a%3Ab&cached=",
    );
    expect(agent.lastHeaders).toMatchObject({ "cache-control": "max-age=5", "x-consul-token": "t" });
  });

  it("avoids an address for a while at which nobody answered", async () => {
    agent.register(shop(1));
    agent.register(shop(2));
    const resolver = await open();
    resolver.forget?.({ appId: "shop", namespace: "" }, "10.0.0.1:50002");
    for (let count = 0; count < 30; count += 1) expect(await resolve(resolver)).toBe("10.0.0.2:50002");
    agent.setHealthy("shop-2", false);
    expect(await resolve(resolver)).toBe("10.0.0.1:50002");
  });

  it("says in Dapr's words when there is nobody, or nobody with a port", async () => {
    const resolver = await open();
    await expect(resolve(resolver)).rejects.toMatchObject({
      kind: "notFound",
      message: "no healthy services found with AppID 'shop'",
    });
    agent.register(shop(1, { Meta: { DAPR_PORT: "99999" } }));
    await expect(resolve(resolver)).rejects.toThrow(
      "target service AppID 'shop' found but DAPR_PORT missing from meta",
    );
  });

  it.each<[ConsulTrouble, string]>([
    ["status 500", "Unexpected response code: 500 (No cluster leader)"],
    ["status 403", "Unexpected response code: 403 (Permission denied)"],
    ["garbage", "the agent's answer is no JSON"],
    ["too much", "more than the limit of 4194304 bytes"],
    ["cut off", "GET http://127.0.0.1"],
  ])("fails with a reason at an agent with %s, and works again after that", async (trouble, text) => {
    agent.register(shop(1));
    const resolver = await open();
    agent.trouble = trouble;
    const failure = await resolve(resolver).catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({ kind: "unavailable" });
    expect((failure as Error).message).toMatch(/^failed to query healthy consul services: /);
    expect((failure as Error).message).toContain(text);
    agent.trouble = undefined;
    expect(await resolve(resolver)).toBe("10.0.0.1:50002");
  });

  it("does not wait for ever for an agent that says nothing", async () => {
    const resolver = await open();
    agent.trouble = "silence";
    const asked = resolve(resolver).catch((error: unknown) => (error as Error).message);
    await until("the agent has been asked", () => agent.requests.some((each) => each.includes("/health/")));
    clock.advance(5_000);
    expect(await asked).toContain("no answer within 5000 ms");
  });

  it("begins without an agent, which the log says", async () => {
    agent.trouble = "status 500";
    const resolver = await open();
    expect(said()).toEqual([
      "failed check on consul agent: Unexpected response code: 500 (No cluster leader); it is asked again with each call",
    ]);
    agent.trouble = undefined;
    agent.register(shop(1));
    expect(await resolve(resolver)).toBe("10.0.0.1:50002");
  });
});

describe("useCache", () => {
  const health = () => agent.requests.filter((each) => each.startsWith("GET /v1/health/"));

  it("follows an app by blocking queries: calls ask nobody, and changes are known at once", async () => {
    agent.register(shop(1));
    const resolver = await open({ useCache: "true" });
    expect(await resolve(resolver)).toBe("10.0.0.1:50002");
    await until("it waits for changes", () => health().some((each) => each.includes("index=")));
    const before = health().length;
    for (let count = 0; count < 20; count += 1) await resolve(resolver);
    expect(health()).toHaveLength(before);
    expect(health().at(-1)).toBe(`GET /v1/health/service/shop?passing=1&index=2&wait=60000ms`);

    agent.register(shop(2));
    agent.setHealthy("shop-1", false);
    await until("the second instance is known", async () => (await resolve(resolver)) === "10.0.0.2:50002");
  });

  it("asks directly while the agent fails, and follows again when it is back, also with lower indexes", async () => {
    agent.register(shop(1));
    agent.register(shop(2));
    const resolver = await open({ useCache: "true" });
    await resolve(resolver);
    await until("it waits for changes", () => health().some((each) => each.includes("index=")));
    agent.trouble = "status 500";
    agent.forgetAll();
    await until("the failure is told", () => {
      clock.advance(1_000);
      return said().some((each) => each.startsWith("consul service-watcher error:"));
    });
    await expect(resolve(resolver)).rejects.toMatchObject({ kind: "unavailable" });
    agent.trouble = undefined;
    agent.register(shop(3));
    expect(await resolve(resolver)).toBe("10.0.0.3:50002");
    await until("it is followed again", () => {
      clock.advance(1_000);
      return health().at(-1)?.includes("index=");
    });
    const known = health().length;
    expect(await resolve(resolver)).toBe("10.0.0.3:50002");
    expect(health()).toHaveLength(known);
  });
});

describe("the agent's protection", () => {
  it("is met with a token, from a file where one is named, and with Basic credentials", async () => {
    await using folder = await temporaryFolder();
    agent.register(shop(1));
    agent.token = "second";
    const tokenFile = await folder.write("token", "first\n");
    const client = JSON.stringify({ tokenFile, token: "unused", httpAuth: { username: "u", password: "p" } });
    const resolver = await open({ client });
    await expect(resolve(resolver)).rejects.toThrow("403");
    await folder.write("token", "second\n");
    expect(await resolve(resolver)).toBe("10.0.0.1:50002");
    expect(agent.lastHeaders.authorization).toBe(`Basic ${Buffer.from("u:p").toString("base64")}`);
    expect(await resolve(await open({}, { CONSUL_HTTP_TOKEN: "second" }))).toBe("10.0.0.1:50002");
  });

  it("is TLS, whose certificate must be trusted", async () => {
    await using folder = await temporaryFolder();
    await using secure = await startConsulAgent({ tls: { cert: SELF_SIGNED_CERT, key: SELF_SIGNED_KEY } });
    secure.register(shop(1));
    const caFile = await folder.write("ca.pem", SELF_SIGNED_CERT);
    const at = { scheme: "https", address: `127.0.0.1:${secure.port}` };
    const trusting = await open({ client: JSON.stringify({ ...at, tlsConfig: { caFile, address: "localhost" } }) });
    expect(await resolve(trusting)).toBe("10.0.0.1:50002");
    const wary = await open({ client: JSON.stringify(at) });
    await expect(resolve(wary)).rejects.toMatchObject({ kind: "unavailable" });
    const careless = await open({ client: JSON.stringify({ ...at, tlsConfig: { insecureSkipVerify: true } }) });
    expect(await resolve(careless)).toBe("10.0.0.1:50002");
  });
});

it("brings calls from sidecar to sidecar, and takes a stopped one out", async () => {
  await using app = await startTestApp({ answer: () => ({ body: "from the shop" }) });
  const settings = configuration(`  nameResolution:
    component: consul
    configuration:
      client: { address: "127.0.0.1:${agent.port}" }
      selfRegister: true
      selfDeregister: true
`);
  await using caller = await startTestSidecar({ appId: "caller", configuration: settings });
  await using callee = await startTestSidecar({ appId: "shop", appPort: app.port, configuration: settings });
  const response = await caller.fetch("/v1.0/invoke/shop/method/x");
  expect([response.status, await response.text()]).toEqual([200, "from the shop"]);
  await callee.stop();
  expect([...agent.services.values()].map(({ Name }) => Name)).toEqual(["caller"]);
  expect(await (await caller.fetch("/v1.0/invoke/shop/method/x")).json()).toMatchObject({
    message: expect.stringContaining("no healthy services found with AppID 'shop'") as string,
  });
});
