import { DaprClient } from "@dapr/dapr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { component } from "../harness/resources.ts";
import { until } from "../harness/until.ts";
import { failureOf, PROTOCOLS, sdkClientOptions } from "./dapr-js.ts";
import { type ClientSystem, startClientSystem } from "./dapr-js-system.ts";

const resources = (): string =>
  [component("store", "state.in-memory"), component("broker", "pubsub.in-memory")].join("---\n");

describe.each(PROTOCOLS)("metadata and health through the official SDK over %s", (protocol) => {
  let system: ClientSystem;
  beforeAll(async () => {
    system = await startClientSystem({ protocol, resources });
  });
  afterAll(() => system.stop());

  it("lists the app and its components", async () => {
    const { id, actors, components } = await system.client.metadata.get();
    expect(id).toBe("orders");
    expect(actors ?? []).toEqual([]);
    expect(components.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([
      { name: "broker", type: "pubsub.in-memory", version: "v1", capabilities: ["SUBSCRIBE_WILDCARDS"] },
      {
        name: "store",
        type: "state.in-memory",
        version: "v1",
        capabilities: ["ETAG", "TRANSACTIONAL", "TTL", "DELETE_WITH_PREFIX", "KEYS_LIKE", "ACTOR"],
      },
    ]);
  });

  it("keeps what the app sets", async () => {
    expect(await system.client.metadata.set("cliPID", "42")).toBe(true);
    const { extended } = await system.client.metadata.get();
    expect(extended).toMatchObject({ cliPID: "42", daprRuntimeVersion: expect.stringMatching(/^1\./) as string });
  });

  it("is healthy", async () => {
    expect(await system.client.health.isHealthy()).toBe(true);
  });

  it("has no proxies, as the SDK says itself", async () => {
    expect(await failureOf(system.client.proxy.create(Object))).toMatch(/not supported/);
  });
});

describe.each(PROTOCOLS)("what ends through the official SDK over %s", (protocol) => {
  it("shuts the sidecar down", async () => {
    const system = await startClientSystem({ protocol, resources });
    await system.client.sidecar.shutdown();
    expect(await system.sidecar.ended).toBe(0);
    await until("nobody is healthy any more", async () => !(await system.client.health.isHealthy()));
    await system.stop();
  });
});

describe.each(PROTOCOLS)("a sidecar with an API token, through the official SDK over %s", (protocol) => {
  it("lets only clients in that have it", async () => {
    const system = await startClientSystem({ protocol, resources, env: { DAPR_API_TOKEN: "let-me-in" } });
    expect((await system.sidecar.fetch("/v1.0/metadata")).status).toBe(401);
    const client = new DaprClient({ ...sdkClientOptions(system.sidecar, protocol), daprApiToken: "let-me-in" });
    expect(await client.state.save("store", [{ key: "key", value: 1 }])).toEqual({});
    expect(await client.state.get("store", "key")).toBe(1);
    await client.stop();
    await system.stop();
  });
});
