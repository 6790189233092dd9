import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ListTopicSubscriptionsResponseSchema } from "../wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { fromGrpcSubscriptions, InvalidSubscriptionsError, parseHttpSubscriptions } from "./topic-subscriptions.ts";

const parse = (value: unknown) =>
  parseHttpSubscriptions(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)));
const NO_BULK = { enabled: false, maxMessagesCount: 0, maxAwaitDurationMs: 0 };

describe("GET /dapr/subscribe", () => {
  test("one route, as v1alpha1 has it", () => {
    const [subscription] = parse([
      { pubsubname: "p", topic: "t", route: "/r", metadata: { rawPayload: "true" }, deadLetterTopic: "d" },
    ]).subscriptions;
    expect(subscription).toEqual({
      pubsubName: "p",
      topic: "t",
      metadata: { rawPayload: "true" },
      rules: [{ match: "", path: "/r" }],
      deadLetterTopic: "d",
      bulk: NO_BULK,
    });
  });

  test("several routes, as v2alpha1 has them; the default comes last and wins over a single route", () => {
    const [subscription] = parse([
      {
        pubsubName: "p",
        topic: "t",
        route: "/ignored",
        routes: { rules: [{ match: ' event.type == "a" ', path: "/a" }, { path: "/b" }], default: "/d" },
        bulkSubscribe: { enabled: true, maxMessagesCount: 5, maxAwaitDurationMs: 7 },
      },
    ]).subscriptions;
    expect(subscription?.pubsubName).toBe("p");
    expect(subscription?.rules).toEqual([
      { match: 'event.type == "a"', path: "/a" },
      { match: "", path: "/b" },
      { match: "", path: "/d" },
    ]);
    expect(subscription?.bulk).toEqual({ enabled: true, maxMessagesCount: 5, maxAwaitDurationMs: 7 });
  });

  test("a subscription without route is left out and named", () => {
    expect(
      parse([
        { pubsubname: "p", topic: "a" },
        { pubsubname: "p", topic: "b", route: "/b", routes: null },
      ]),
    ).toMatchObject({
      subscriptions: [{ topic: "b" }],
      topicsWithoutRoute: ["a"],
    });
  });

  test.each(["", " \n", "null", "[]"])("%j means none", (body) => {
    expect(parse(body)).toEqual({ subscriptions: [], topicsWithoutRoute: [] });
  });

  test.each([
    "{",
    "{}",
    "5",
    "[1]",
    '[{"topic":1}]',
    '[{"metadata":{"a":1}}]',
    '[{"routes":[]}]',
    '[{"bulkSubscribe":{"maxMessagesCount":"5"}}]',
  ])("%s is refused", (body) => {
    expect(() => parse(body)).toThrow(InvalidSubscriptionsError);
    expect(() => parse(body)).toThrow("error getting topics from app: ");
  });
});

test("ListTopicSubscriptions", () => {
  const response = create(ListTopicSubscriptionsResponseSchema, {
    subscriptions: [
      { pubsubName: "p", topic: "none" },
      { pubsubName: "p", topic: "empty", routes: {} },
      {
        pubsubName: "p",
        topic: "all",
        metadata: { a: "b" },
        deadLetterTopic: "d",
        routes: { rules: [{ match: " x ", path: "/x" }], default: "/d" },
        bulkSubscribe: { enabled: true, maxMessagesCount: 3, maxAwaitDurationMs: 4 },
      },
    ],
  });
  expect(fromGrpcSubscriptions(response)).toEqual([
    {
      pubsubName: "p",
      topic: "none",
      metadata: {},
      rules: [{ match: "", path: "" }],
      deadLetterTopic: "",
      bulk: NO_BULK,
    },
    {
      pubsubName: "p",
      topic: "empty",
      metadata: {},
      rules: [{ match: "", path: "" }],
      deadLetterTopic: "",
      bulk: NO_BULK,
    },
    {
      pubsubName: "p",
      topic: "all",
      metadata: { a: "b" },
      rules: [
        { match: "x", path: "/x" },
        { match: "", path: "/d" },
      ],
      deadLetterTopic: "d",
      bulk: { enabled: true, maxMessagesCount: 3, maxAwaitDurationMs: 4 },
    },
  ]);
});
