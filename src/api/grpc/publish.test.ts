import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { createBlockFixture, parsed } from "../../blocks/pubsub/pubsub.fixture.ts";
import { HeaderMetadata } from "../../net/grpc/metadata.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import { BulkPublishRequestSchema, PublishEventRequestSchema } from "../../wire/gen/dapr/proto/runtime/v1/pubsub_pb.js";
import { publishHandlers } from "./publish.ts";

function callWith(headers: readonly string[] = []): ServerCall {
  return { metadata: new HeaderMetadata(headers) } as unknown as ServerCall;
}

const EVENT = { pubsubName: "pubsub", topic: "t", data: Buffer.from('{"a":1}'), dataContentType: "application/json" };

describe("PublishEvent", () => {
  test("publishes", async () => {
    const { block, broker } = createBlockFixture();
    await publishHandlers(block).publishEvent(
      create(PublishEventRequestSchema, { ...EVENT, metadata: { key: "v" } }),
      callWith(),
    );
    expect(broker.published[0]).toMatchObject({ topic: "t", metadata: { key: "v" } });
    expect(parsed(broker.published[0]?.data)).toMatchObject({ data: { a: 1 }, datacontenttype: "application/json" });
  });

  test.each([
    [["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate", "a=b"], "a=b"],
    [["traceparent", "nonsense", "grpc-trace-bin", "AABL+S81d7NNpqPOkp0ODkc2AQDwZ6oLqQK3AgE"], ""],
  ])("takes the trace context of %j", async (headers, tracestate) => {
    const { block, broker } = createBlockFixture();
    await publishHandlers(block).publishEvent(create(PublishEventRequestSchema, EVENT), callWith(headers));
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    expect(parsed(broker.published[0]?.data)).toMatchObject({ traceid: traceparent, traceparent, tracestate });
  });

  test("hands the block's errors on", async () => {
    const { block } = createBlockFixture();
    const answer = publishHandlers(block).publishEvent(
      create(PublishEventRequestSchema, { pubsubName: "nope" }),
      callWith(),
    );
    await expect(answer).rejects.toMatchObject({
      grpcStatus: 3,
      message: "pubsub nope is not found",
      details: [{ kind: "ErrorInfo" }],
    });
  });
});

describe.each(["bulkPublishEvent", "bulkPublishEventAlpha1"] as const)("%s", (method) => {
  const request = (ids: readonly string[]) =>
    create(BulkPublishRequestSchema, {
      pubsubName: "pubsub",
      topic: "t",
      metadata: { request: "r" },
      entries: ids.map((entryId, index) => ({
        entryId,
        event: Buffer.from("x"),
        contentType: "text/plain",
        metadata: index === 0 ? {} : { own: "o" },
      })),
    });

  test("publishes every entry", async () => {
    const { block, broker } = createBlockFixture();
    const answer = await publishHandlers(block)[method](request(["1", "2"]), callWith());
    expect(answer.failedEntries).toEqual([]);
    expect(broker.published.map((one) => one.metadata)).toEqual([{}, { request: "r", own: "o" }]);
  });

  test("fails as a whole when one entry does", async () => {
    const { block, broker } = createBlockFixture();
    broker.publishError = () => new Error("full");
    const answer = publishHandlers(block)[method](request(["1"]), callWith());
    await expect(answer).rejects.toMatchObject({
      grpcStatus: 13,
      message: "error when publishing to topic t in pubsub pubsub: full",
    });
    await expect(publishHandlers(block)[method](request([""]), callWith())).rejects.toMatchObject({ grpcStatus: 3 });
  });
});
