import { HttpMethod } from "@dapr/dapr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DaprJsPair, PROTOCOLS, startDaprJsPair } from "./dapr-js-pair.ts";

describe.each(PROTOCOLS)("service invocation through the official SDK over %s", (protocol) => {
  let pair: DaprJsPair;
  beforeAll(async () => {
    pair = await startDaprJsPair(protocol, async (orders, stock) => {
      await stock.invoker.listen("reserve", async ({ body }) => ({ reserved: JSON.parse(body ?? "") as unknown }), {
        method: HttpMethod.POST,
      });
      await stock.invoker.listen("level", async () => ({ level: 12 }), { method: HttpMethod.GET });
      await orders.invoker.listen("own", async () => ({ app: "orders" }), { method: HttpMethod.GET });
    });
  });
  afterAll(() => pair.stop());

  it("calls another app with a body", async () => {
    const answer = await pair.client.invoker.invoke("stock", "reserve", HttpMethod.POST, { item: "chair", count: 2 });
    expect(answer).toEqual({ reserved: { item: "chair", count: 2 } });
  });

  it("calls another app without one", async () => {
    expect(await pair.client.invoker.invoke("stock", "level", HttpMethod.GET)).toEqual({ level: 12 });
  });

  it("calls the sidecar's own app", async () => {
    expect(await pair.client.invoker.invoke("orders", "own", HttpMethod.GET)).toEqual({ app: "orders" });
  });

  it("tells of an app that nobody knows", async () => {
    await expect(pair.client.invoker.invoke("nobody", "level", HttpMethod.GET)).rejects.toThrow(
      /failed to invoke, id: nobody/,
    );
  });
});
