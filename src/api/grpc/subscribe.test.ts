import { describe, expect, test } from "vitest";
import { createBlockFixture, settle } from "../../blocks/pubsub/pubsub.fixture.ts";
import { createSubscriptions } from "../../blocks/pubsub/subscriptions.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import type { SubscribeTopicEventsResponseAlpha1 } from "../../wire/gen/dapr/proto/runtime/v1/pubsub_pb.js";
import { type Request, Requests } from "./subscribe.fixture.ts";
import { subscribeHandlers } from "./subscribe.ts";

const INITIAL: Request = { case: "initialRequest", value: { pubsubName: "pubsub", topic: "orders" } };
const answer = (id: string, status = 0): Request => ({ case: "eventProcessed", value: { id, status: { status } } });
const EVENT =
  '{"id":"1","type":"t","source":"s","specversion":"1.0","datacontenttype":"application/json","data":{"n":1}}';

describe("SubscribeTopicEventsAlpha1", () => {
  function setUp() {
    const fixture = createBlockFixture();
    const subscriptions = createSubscriptions({ ...fixture, programmaticEnabled: true });
    const requests = new Requests();
    const handler = subscribeHandlers(subscriptions.streams).subscribeTopicEventsAlpha1;
    const responses = handler(requests, {} as ServerCall)[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => {
      const result = (await responses.next()) as IteratorResult<SubscribeTopicEventsResponseAlpha1, undefined>;
      return result.value?.subscribeTopicEventsResponseType;
    };
    return { ...fixture, subscriptions, requests, responses, next };
  }

  test("answers the initial request, then sends events, which the caller answers", async () => {
    const { requests, next, broker } = setUp();
    requests.send(INITIAL);
    expect(await next()).toMatchObject({ case: "initialResponse" });
    const pushed = broker.push("orders", EVENT);
    expect(await next()).toMatchObject({
      case: "eventMessage",
      value: { id: "1", topic: "orders", pubsubName: "pubsub", path: "/", data: Buffer.from('{"n":1}') },
    });
    requests.send(answer("1"));
    await pushed;
  });

  test("an answer without a status is a success, RETRY gives the event back", async () => {
    const { requests, next, broker } = setUp();
    requests.send(INITIAL);
    await next();
    const first = broker.push("orders", EVENT);
    await next();
    requests.send({ case: "eventProcessed", value: { id: "1" } });
    await first;
    const second = broker.push("orders", EVENT);
    await next();
    requests.send(answer("1", 1));
    await expect(second).rejects.toThrow("RETRY status returned from app while processing pub/sub event 1");
  });

  test("an event that does not fit the message fails alone; the stream goes on", async () => {
    const { requests, next, broker } = setUp();
    requests.send(INITIAL);
    await next();
    await expect(broker.push("orders", '{"id":"0","data_base64":5}')).rejects.toThrow("unexpected data type");
    void broker.push("orders", EVENT);
    expect(await next()).toMatchObject({ value: { id: "1" } });
  });

  test.each<[string, Request, string]>([
    ["an answer first", answer("1"), "initial request is required"],
    ["no broker", { case: "initialRequest", value: { topic: "t" } }, "pubsubName is required"],
    ["no topic", { case: "initialRequest", value: { pubsubName: "pubsub" } }, "topic is required"],
  ])("%s is refused with status Unknown", async (_what, request, message) => {
    const { requests, responses } = setUp();
    requests.send(request);
    await expect(responses.next()).rejects.toMatchObject({ message, grpcStatus: 2 });
  });

  test("a broker that does not exist is refused as a publish to it is", async () => {
    const { requests, responses } = setUp();
    requests.send({ case: "initialRequest", value: { pubsubName: "nope", topic: "t" } });
    await expect(responses.next()).rejects.toMatchObject({
      message: "pubsub nope is not found",
      grpcStatus: 3,
      details: [{ kind: "ErrorInfo", reason: "DAPR_PUBSUB_NOT_FOUND" }],
    });
  });

  test("a second initial request ends the stream", async () => {
    const { requests, responses, next, subscriptions } = setUp();
    requests.send(INITIAL);
    await next();
    requests.send(INITIAL);
    await expect(responses.next()).rejects.toMatchObject({ message: "duplicate initial request received" });
    expect(subscriptions.list()).toEqual([]);
  });

  test("the caller's end is the subscription's, before and after the initial request", async () => {
    const before = setUp();
    before.requests.close();
    expect(await before.responses.next()).toMatchObject({ done: true });
    const after = setUp();
    after.requests.send(INITIAL);
    await after.next();
    after.requests.close();
    expect(await after.responses.next()).toMatchObject({ done: true });
    expect(after.subscriptions.list()).toEqual([]);
  });

  test("a cancelled call ends the subscription", async () => {
    const { requests, responses, next, subscriptions } = setUp();
    requests.send(INITIAL);
    await next();
    const end = responses.next();
    await settle();
    requests.cancel();
    await expect(end).rejects.toThrow("the call was cancelled");
    expect(subscriptions.list()).toEqual([]);
  });

  test("the sidecar's stop ends streams, those too that have not said what they are for", async () => {
    const { requests, responses, next, subscriptions } = setUp();
    requests.send(INITIAL);
    await next();
    const silent = subscribeHandlers(subscriptions.streams)
      .subscribeTopicEventsAlpha1(new Requests(), {} as ServerCall)
      [Symbol.asyncIterator]();
    const ends = [
      expect(responses.next()).rejects.toThrow("stream closed"),
      expect(silent.next()).rejects.toThrow("api server closed"),
    ];
    await settle();
    await Promise.all([...ends, subscriptions.close()]);
  });
});
