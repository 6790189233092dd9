import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { metadataOf } from "../net/grpc/metadata.ts";
import { GrpcError } from "../net/grpc/status.ts";
import type { CallOptions, GrpcClient, GrpcMethod, UnaryResult } from "../net/grpc/types.ts";
import {
  HTTPExtension_Verb,
  type InvokeRequest,
  InvokeResponseSchema,
} from "../wire/gen/dapr/proto/common/v1/common_pb.js";
import {
  type TopicEventBulkRequest,
  TopicEventBulkResponseSchema,
  TopicEventResponse_TopicEventResponseStatus,
  TopicEventResponseSchema,
} from "../wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { GrpcAppChannel } from "./grpc-channel.ts";
import type { AppChannelOptions } from "./options.ts";
import type { InvokeCall, TopicBulk } from "./types.ts";

const signal = new AbortController().signal;

interface Seen {
  readonly path: string;
  readonly request: unknown;
  readonly metadata: Record<string, unknown>;
}

function setUp(answer: (path: string) => unknown, more: Partial<AppChannelOptions> = {}) {
  const seen: Seen[] = [];
  const client: GrpcClient = {
    unary: async <I, O>(method: GrpcMethod<I, O>, request: I, options?: CallOptions): Promise<UnaryResult<O>> => {
      seen.push({ path: method.path, request, metadata: Object.fromEntries(options?.metadata?.entries() ?? []) });
      await Promise.resolve();
      return {
        response: answer(method.path) as O,
        headers: metadataOf({ "x-h": "1", "x-bin": Buffer.from([1, 2]) }),
        trailers: metadataOf({ t: "2" }),
      };
    },
    stream: () => {
      throw new Error("the channel makes unary calls only");
    },
    open: () => {
      throw new Error("the channel makes unary calls only");
    },
    close: () => Promise.resolve(),
  };
  const options: AppChannelOptions = {
    appId: "me",
    address: "127.0.0.1:3000",
    appToken: "",
    maxConcurrency: 0,
    healthPath: "",
    maxBodyBytes: 10,
    clock: new VirtualClock(),
    logger: silentLogger,
    ...more,
  };
  return { seen, channel: new GrpcAppChannel("grpc", client, options) };
}

function call(more: Partial<InvokeCall> = {}): InvokeCall {
  return {
    method: "m",
    verb: "PUT",
    query: "q=1",
    headers: ["Accept", "a", "X-Mine", "1"],
    origin: "http",
    contentType: "a/b",
    body: Buffer.from("hi"),
    ...more,
  };
}

function invokeResponse(init: MessageInitShape<typeof InvokeResponseSchema>) {
  return create(InvokeResponseSchema, init);
}

test("a call becomes OnInvoke, its headers metadata, and the answer keeps its type", async () => {
  const { channel, seen } = setUp(
    () => invokeResponse({ contentType: "c/d", data: { value: Buffer.from("yo"), typeUrl: "my.Type" } }),
    { appToken: "secret" },
  );
  const reply = await channel.invoke(call());
  const request = seen[0]?.request as InvokeRequest | undefined;
  expect(seen[0]?.path).toBe("/dapr.proto.runtime.v1.AppCallback/OnInvoke");
  expect(request).toMatchObject({
    method: "m",
    contentType: "a/b",
    httpExtension: { verb: HTTPExtension_Verb.PUT, querystring: "q=1" },
  });
  expect(Buffer.from(request?.data?.value ?? []).toString()).toBe("hi");
  expect(seen[0]?.metadata).toEqual({ "dapr-accept": "a", "x-mine": "1", "dapr-api-token": "secret" });
  expect(reply).toMatchObject({
    status: { kind: "grpc", code: 0 },
    contentType: "c/d",
    typeUrl: "my.Type",
    headers: ["content-type", "application/grpc", "x-h", "1", "x-bin", "AQI="],
    trailers: ["content-type", "application/grpc", "t", "2"],
  });
});

test("without a verb there is no HTTP extension", async () => {
  const { channel, seen } = setUp(() => invokeResponse({}));
  await channel.invoke(call({ verb: "", origin: "grpc" }));
  expect(seen).toHaveLength(1);
  expect(seen[0]?.request).not.toHaveProperty("httpExtension.verb");
});

test("the app's error is an answer, not a failure", async () => {
  const { channel } = setUp(() => {
    throw new GrpcError(GRPC_STATUS.UNKNOWN, "invalid method", { detailsBin: Buffer.from("d") });
  });
  expect((await channel.invoke(call())).status).toEqual({
    kind: "grpc",
    code: GRPC_STATUS.UNKNOWN,
    message: "invalid method",
    detailsBin: Buffer.from("d"),
  });
});

test("a body beyond the limit is refused, since it must be whole", async () => {
  const { channel, seen } = setUp(() => invokeResponse({}));
  await expect(channel.invoke(call({ body: Buffer.alloc(11) }))).rejects.toThrow("larger than the limit of 10 bytes");
  expect(seen).toEqual([]);
});

test("an app without subscriptions does not implement the call", async () => {
  const { channel } = setUp(() => {
    throw new GrpcError(GRPC_STATUS.UNIMPLEMENTED, "unknown method");
  });
  expect(await channel.listSubscriptions(signal)).toEqual([]);
});

test("events go to OnTopicEvent", async () => {
  const { channel, seen } = setUp(() =>
    create(TopicEventResponseSchema, { status: TopicEventResponse_TopicEventResponseStatus.RETRY }),
  );
  const outcome = await channel.deliver(
    {
      pubsubName: "p",
      topic: "t",
      path: "/r",
      envelope: Buffer.from("{}"),
      fields: { id: "1" },
      rawPayload: false,
      metadata: { Custom: "1" },
    },
    signal,
  );
  expect(outcome).toMatchObject({ kind: "retry" });
  expect(seen[0]).toMatchObject({
    path: "/dapr.proto.runtime.v1.AppCallback/OnTopicEvent",
    metadata: { custom: "1" },
    request: { id: "1", topic: "t", path: "/r", pubsubName: "p" },
  });
});

test("a probe is HealthCheck", async () => {
  const { channel, seen } = setUp(() => ({}), { isHealthy: () => false });
  expect(await channel.probe(signal)).toBeUndefined();
  expect(seen[0]?.path).toBe("/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck");
  await expect(channel.invoke(call())).rejects.toThrow("app is not in a healthy state");
});

const bulk: TopicBulk = {
  id: "bulk-1",
  pubsubName: "broker",
  topic: "orders",
  path: "/bulk",
  entries: ["a", "b"].map((entryId) => ({
    entryId,
    event: {
      pubsubName: "broker",
      topic: "orders",
      path: "/bulk",
      envelope: Buffer.from(`{"data":{"n":1}}`),
      fields: { id: "1", datacontenttype: "application/json", data: { n: 1 }, mine: "x" },
      rawPayload: false,
      metadata: {},
    },
    contentType: "application/cloudevents+json",
    metadata: { key: "v" },
  })),
};
const unimplemented = new GrpcError(GRPC_STATUS.UNIMPLEMENTED, "none");

test("a bulk becomes OnBulkTopicEvent, and its first version for apps that are older", async () => {
  const { channel, seen } = setUp((path) => {
    if (path.endsWith("/OnBulkTopicEvent")) {
      throw unimplemented;
    }
    return create(TopicEventBulkResponseSchema, {
      statuses: [{ entryId: "b", status: TopicEventResponse_TopicEventResponseStatus.SUCCESS }],
    });
  });
  expect((await channel.deliverBulk(bulk, signal)).map(({ kind }) => kind)).toEqual(["retry", "success"]);
  expect(seen.map(({ path }) => path)).toEqual([
    "/dapr.proto.runtime.v1.AppCallback/OnBulkTopicEvent",
    "/dapr.proto.runtime.v1.AppCallbackAlpha/OnBulkTopicEventAlpha1",
  ]);
  const request = seen[1]?.request as TopicEventBulkRequest;
  expect(request).toMatchObject({ id: "bulk-1", topic: "orders", pubsubName: "broker", path: "/bulk" });
  expect(request.type).toBe("com.dapr.event.sent.bulk");
  expect(request.entries[0]).toMatchObject({
    entryId: "a",
    contentType: "application/cloudevents+json",
    metadata: { key: "v" },
    event: { case: "cloudEvent", value: { id: "1", dataContentType: "application/json", extensions: { mine: "x" } } },
  });
  const event = request.entries[0]?.event;
  expect(event?.case === "cloudEvent" && Buffer.from(event.value.data).toString()).toBe(`{"n":1}`);
});

test("a bulk that no version takes is acknowledged, one that fails is wanted again", async () => {
  const without = setUp(() => {
    throw unimplemented;
  });
  const warning =
    "non-retriable error returned from app while processing bulk pub/sub event: rpc error: code = Unimplemented desc = none";
  const accepted = { kind: "success", warning };
  expect(await without.channel.deliverBulk(bulk, signal)).toEqual([accepted, accepted]);
  const failing = setUp(() => {
    throw new GrpcError(GRPC_STATUS.INTERNAL, "broken");
  });
  const reason =
    "error returned from app while processing bulk pub/sub event: rpc error: code = Internal desc = broken";
  const again = { kind: "retry", reason, status: { kind: "grpc", code: GRPC_STATUS.INTERNAL } };
  expect(await failing.channel.deliverBulk(bulk, signal)).toEqual([again, again]);
});
