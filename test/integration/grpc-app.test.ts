import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSharedScope } from "../../src/inventory/shared-scope.ts";
import {
  HTTPExtension_Verb,
  InvokeResponseSchema,
  type InvokeRequest,
} from "../../src/wire/gen/dapr/proto/common/v1/common_pb.js";
import {
  ListTopicSubscriptionsResponseSchema,
  type TopicEventRequest,
  TopicEventResponseSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { InvokeServiceRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/invoke_pb.js";
import { PublishEventRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/pubsub_pb.js";
import { type GrpcApp, startGrpcApp } from "../harness/grpc-app.ts";
import { daprMethods } from "../harness/grpc-caller.ts";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestSidecar, type TestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

describe("an app that speaks gRPC", () => {
  const invoked: InvokeRequest[] = [];
  const events: TopicEventRequest[] = [];
  let app: GrpcApp;
  let callee: TestSidecar;
  let caller: TestSidecar;
  beforeAll(async () => {
    app = await startGrpcApp({
      onInvoke(request) {
        invoked.push(request);
        if (request.method === "refuse") {
          throw Object.assign(new Error("refused"), { code: status.FAILED_PRECONDITION, details: "not today" });
        }
        return create(InvokeResponseSchema, {
          contentType: "text/plain",
          data: { value: Buffer.from(`hello ${Buffer.from(request.data?.value ?? []).toString()}`) },
        });
      },
      listTopicSubscriptions: () =>
        create(ListTopicSubscriptionsResponseSchema, {
          subscriptions: [
            {
              pubsubName: "broker",
              topic: "orders",
              routes: { rules: [{ match: 'event.type == "urgent"', path: "urgent" }], default: "usual" },
            },
          ],
        }),
      onTopicEvent(request) {
        events.push(request);
        return create(TopicEventResponseSchema);
      },
    });
    const deps = { shared: createSharedScope() };
    callee = await startTestSidecar({
      appId: "callee",
      appPort: app.port,
      appProtocol: "grpc",
      resources: IN_MEMORY,
      deps,
    });
    caller = await startTestSidecar({ appId: "caller", deps });
  });
  afterAll(async () => {
    await Promise.all([callee.stop(), caller.stop()]);
    await app[Symbol.asyncDispose]();
  });

  it("is called by gRPC through two sidecars", async () => {
    const message = {
      method: "greet",
      contentType: "text/plain",
      data: { value: Buffer.from("there") },
      httpExtension: { verb: HTTPExtension_Verb.POST, querystring: "a=1" },
    };
    const response = await caller.grpc.call(
      daprMethods.invokeService,
      create(InvokeServiceRequestSchema, { id: "callee", message }),
    );
    expect(Buffer.from(response.data?.value ?? []).toString()).toBe("hello there");
    expect(response.contentType).toBe("text/plain");
    expect(invoked.at(-1)).toMatchObject({
      method: "greet",
      contentType: "text/plain",
      httpExtension: { verb: HTTPExtension_Verb.POST, querystring: "a=1" },
    });
  });

  it("is called by HTTP through two sidecars", async () => {
    const response = await caller.fetch("/v1.0/invoke/callee/method/greet?a=1", {
      method: "PUT",
      body: "world",
      headers: { "content-type": "text/plain" },
    });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("hello world");
    expect(invoked.at(-1)).toMatchObject({
      method: "greet",
      httpExtension: { verb: HTTPExtension_Verb.PUT, querystring: "a=1" },
    });
  });

  it("refuses in its own words, over both doors", async () => {
    const message = { method: "refuse", httpExtension: { verb: HTTPExtension_Verb.GET } };
    const failure = await caller.grpc.failure(
      daprMethods.invokeService,
      create(InvokeServiceRequestSchema, { id: "callee", message }),
    );
    expect(failure).toMatchObject({ code: status.FAILED_PRECONDITION, message: "not today" });
    const response = await caller.fetch("/v1.0/invoke/callee/method/refuse");
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: status.FAILED_PRECONDITION, message: "not today" });
  });

  it("gets events on the routes that its rules name", async () => {
    for (const type of ["urgent", "any"]) {
      const metadata = { "cloudevent.type": type };
      await callee.grpc.call(
        daprMethods.publishEvent,
        create(PublishEventRequestSchema, {
          pubsubName: "broker",
          topic: "orders",
          data: Buffer.from('{"n":1}'),
          dataContentType: "application/json",
          metadata,
        }),
      );
    }
    await until("both are delivered", () => events.length === 2);
    expect(
      events
        .map(({ type, path, topic, pubsubName, dataContentType, data }) => ({
          type,
          path,
          topic,
          pubsubName,
          dataContentType,
          data: Buffer.from(data).toString(),
        }))
        .toSorted((a, b) => a.type.localeCompare(b.type)),
    ).toEqual([
      {
        type: "any",
        path: "usual",
        topic: "orders",
        pubsubName: "broker",
        dataContentType: "application/json",
        data: '{"n":1}',
      },
      {
        type: "urgent",
        path: "urgent",
        topic: "orders",
        pubsubName: "broker",
        dataContentType: "application/json",
        data: '{"n":1}',
      },
    ]);
  });
});
