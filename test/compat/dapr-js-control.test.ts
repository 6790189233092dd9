import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DaprJsPair, PROTOCOLS, startDaprJsPair } from "./dapr-js-pair.ts";

describe.each(PROTOCOLS)("metadata and health through the official SDK over %s", (protocol) => {
  let pair: DaprJsPair;
  beforeAll(async () => {
    pair = await startDaprJsPair(protocol);
  });
  afterAll(() => pair.stop());

  it("lists the app and its components", async () => {
    const metadata = await pair.client.metadata.get();
    expect(metadata.id).toBe("orders");
    expect(metadata.components.map(({ name, type }) => ({ name, type }))).toEqual(
      expect.arrayContaining([
        { name: "store", type: "state.in-memory" },
        { name: "broker", type: "pubsub.in-memory" },
      ]),
    );
  });

  it("keeps what the app sets", async () => {
    expect(await pair.client.metadata.set("cliPID", "42")).toBe(true);
    const { extended } = await pair.client.metadata.get();
    expect(Object.fromEntries(Object.entries(extended as Record<string, unknown>))).toMatchObject({ cliPID: "42" });
  });

  it("is healthy", async () => {
    expect(await pair.client.health.isHealthy()).toBe(true);
  });
});
