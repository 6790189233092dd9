import { DaprPubSubStatusEnum } from "@dapr/dapr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../harness/until.ts";
import { type DaprJsPair, PROTOCOLS, startDaprJsPair } from "./dapr-js-pair.ts";

describe.each(PROTOCOLS)("publish and subscribe through the official SDK over %s", (protocol) => {
  const received: unknown[] = [];
  const buried: unknown[] = [];
  let pair: DaprJsPair;
  beforeAll(async () => {
    pair = await startDaprJsPair(protocol, async (_orders, stock) => {
      await stock.pubsub.subscribe("broker", "placed", async (data: unknown) => void received.push(data));
      await stock.pubsub.subscribeWithOptions("broker", "retried", {
        callback: async () => DaprPubSubStatusEnum.RETRY,
        deadLetterTopic: "buried",
      });
      await stock.pubsub.subscribeWithOptions("broker", "dropped", {
        callback: async () => DaprPubSubStatusEnum.DROP,
        deadLetterTopic: "buried",
      });
      await stock.pubsub.subscribe("broker", "buried", async (data: unknown) => void buried.push(data));
    });
  });
  afterAll(() => pair.stop());

  it("delivers what another app published", async () => {
    const { pubsub } = pair.client;
    expect(await pubsub.publish("broker", "placed", { id: 1 })).toEqual({});
    await until("the object is delivered", () => received.length === 1);
    await pubsub.publish("broker", "placed", "text");
    await until("the text is delivered", () => received.length === 2);
    expect(received).toEqual([{ id: 1 }, "text"]);
  });

  it("delivers a CloudEvent's data", async () => {
    received.length = 0;
    const event = {
      specversion: "1.0",
      type: "order.placed",
      source: "orders",
      id: "event-1",
      datacontenttype: "application/json",
      data: { id: 7 },
    };
    await pair.client.pubsub.publish("broker", "placed", event, { contentType: "application/cloudevents+json" });
    await until("the event is delivered", () => received.length === 1);
    expect(received).toEqual([{ id: 7 }]);
  });

  it("publishes many at once", async () => {
    received.length = 0;
    const answer = await pair.client.pubsub.publishBulk("broker", "placed", [{ id: 1 }, { id: 2 }, "three"]);
    expect(answer).toEqual({ failedMessages: [] });
    await until("all are delivered", () => received.length === 3);
    expect(received).toEqual(expect.arrayContaining([{ id: 1 }, { id: 2 }, "three"]));
  });

  it.each(["dropped", "retried"])("sends what the app %s to the dead letter topic", async (topic) => {
    buried.length = 0;
    await pair.client.pubsub.publish("broker", topic, { topic });
    await until("it is at the dead letter topic", () => buried.length === 1);
    expect(buried).toEqual([{ topic }]);
  });

  it("tells of a broker there is none of", async () => {
    let error: unknown;
    try {
      error = (await pair.client.pubsub.publish("nowhere", "placed", { id: 1 })).error;
    } catch (thrown) {
      error = (thrown as { error: unknown }).error;
    }
    expect(String(error)).toMatch(/pubsub nowhere is not found/);
  });
});
