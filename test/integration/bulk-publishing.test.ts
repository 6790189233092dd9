import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { BulkPublishRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/pubsub_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { IN_MEMORY } from "../harness/resources.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { dataOf, TopicStream } from "../harness/topic-stream.ts";
import { until } from "../harness/until.ts";

it("a list is published over both doors and their older names, entry by entry", async () => {
  await using one = await startTestSidecar({ resources: IN_MEMORY });
  await using stream = await TopicStream.to(one, "orders");
  stream.answerAll = "SUCCESS";
  const entries = [
    { entryId: "1", event: { n: 1 }, contentType: "application/json" },
    { entryId: "2", event: "two", contentType: "text/plain" },
    { entryId: "3", event: Buffer.from("three").toString("base64"), contentType: "application/octet-stream" },
    {
      entryId: "4",
      event: { specversion: "1.0", id: "own", source: "s", type: "t", datacontenttype: "application/json", data: 4 },
      contentType: "application/cloudevents+json",
    },
  ];
  for (const [index, version] of ["v1.0", "v1.0-alpha1"].entries()) {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(entries) };
    expect((await one.fetch(`/${version}/publish/bulk/broker/orders`, init)).status).toBe(204);
    await until("all are there", () => stream.events.length === (index + 1) * 4);
  }
  expect(dataOf(stream.events).slice(0, 4).toSorted()).toEqual(["4", "three", "two", '{"n":1}']);
  expect(stream.events.map(({ id }) => id)).toContain("own");
  // oxlint-disable-next-line typescript/no-deprecated -- older SDKs call only this one
  for (const method of [daprMethods.bulkPublishEvent, daprMethods.bulkPublishEventAlpha1]) {
    const before = stream.events.length;
    const request = { pubsubName: "broker", topic: "orders", entries: [{ entryId: "1", event: Buffer.from("x") }] };
    expect(await one.grpc.call(method, create(BulkPublishRequestSchema, request))).toMatchObject({ failedEntries: [] });
    await until("it is there", () => stream.events.length === before + 1);
  }
});

it("ids that are empty or come twice refuse the list as a whole, over both doors", async () => {
  await using one = await startTestSidecar({ resources: IN_MEMORY });
  await using stream = await TopicStream.to(one, "orders");
  const message =
    "error marshaling events to bytes for topic orders pubsub broker. error: entryId is duplicated or not present for entry";
  for (const ids of [
    ["1", "1"],
    ["1", ""],
  ]) {
    const entries = ids.map((entryId) => ({ entryId, event: "x", contentType: "text/plain" }));
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(entries) };
    const response = await one.fetch("/v1.0/publish/bulk/broker/orders", init);
    expect([response.status, await response.json()]).toEqual([
      400,
      expect.objectContaining({ errorCode: "ERR_PUBSUB_EVENTS_SER", message }),
    ]);
    const request = create(BulkPublishRequestSchema, {
      pubsubName: "broker",
      topic: "orders",
      entries: ids.map((entryId) => ({ entryId, event: Buffer.from("x"), contentType: "text/plain" })),
    });
    const failure = await one.grpc.failure(daprMethods.bulkPublishEvent, request);
    expect(failure).toMatchObject({ code: status.INVALID_ARGUMENT, message });
  }
  expect(stream.events).toEqual([]);
});
