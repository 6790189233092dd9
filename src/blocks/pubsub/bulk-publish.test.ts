import { expect, test } from "vitest";
import type { BulkPublishFailure, BulkPublishRequest } from "../../components/spi/pubsub.ts";
import { BULK_PUBLISH_CONCURRENCY_MAX } from "./bulk-publish.ts";
import { createBlockFixture, FakeBroker, parsed } from "./pubsub.fixture.ts";

/** A broker that takes lists. */
class BulkBroker extends FakeBroker {
  readonly bulks: BulkPublishRequest[] = [];
  answer: () => readonly BulkPublishFailure[] = () => [];

  async bulkPublish(request: BulkPublishRequest): Promise<readonly BulkPublishFailure[]> {
    this.bulks.push(request);
    return this.answer();
  }
}

const CALL = {
  pubsub: "bulk",
  topic: "t",
  metadata: { key: "v" },
  entries: [
    { entryId: "1", event: Buffer.from('{"n":1}'), contentType: "application/json", metadata: { own: "o" } },
    { entryId: "2", event: Buffer.from("x"), contentType: "text/plain", metadata: undefined },
  ],
};

function setUp(capabilities: string[] = ["BULK_PUBSUB"]) {
  const fixture = createBlockFixture();
  const bulk = new BulkBroker();
  fixture.brokers.add("bulk", bulk, { capabilities });
  return { ...fixture, bulk };
}

test("a broker that takes lists gets one, wrapped entry by entry", async () => {
  const { block, bulk } = setUp();
  expect(await block.bulkPublish(CALL)).toEqual({ failedEntries: [], failure: undefined });
  expect(bulk.bulks).toMatchObject([
    {
      topic: "t",
      metadata: { key: "v" },
      messages: [
        { entryId: "1", contentType: "application/json", metadata: { key: "v", own: "o" } },
        { entryId: "2", contentType: "text/plain", metadata: {} },
      ],
    },
  ]);
  expect(bulk.bulks[0]?.messages.map(({ data }) => parsed(data)["data"])).toEqual([{ n: 1 }, "x"]);
  expect(bulk.published).toEqual([]);
});

test("entries that it refuses are told, which is no failure of the request", async () => {
  const { block, bulk } = setUp();
  bulk.answer = () => [{ entryId: "2", error: "too large" }];
  expect(await block.bulkPublish(CALL)).toEqual({
    failedEntries: [{ entryId: "2", error: "too large" }],
    failure: undefined,
  });
});

test("its error is one of all entries", async () => {
  const { block, bulk } = setUp();
  bulk.answer = () => {
    throw new Error("gone");
  };
  const { failedEntries, failure } = await block.bulkPublish(CALL);
  expect(failedEntries).toEqual([
    { entryId: "1", error: "gone" },
    { entryId: "2", error: "gone" },
  ]);
  expect(failure?.message).toBe("error when publishing to topic t in pubsub bulk: gone");
});

test("without the capability messages go one by one, so many side by side", async () => {
  const { block, bulk } = setUp([]);
  const publish = bulk.publish.bind(bulk);
  let atOnce = 0;
  let mostAtOnce = 0;
  bulk.publish = async (request) => {
    atOnce += 1;
    mostAtOnce = Math.max(mostAtOnce, atOnce);
    await publish(request);
    atOnce -= 1;
  };
  const entries = Array.from({ length: BULK_PUBLISH_CONCURRENCY_MAX + 1 }, (_, index) => ({
    entryId: String(index),
    event: Buffer.from("x"),
    contentType: "text/plain",
    metadata: undefined,
  }));
  await block.bulkPublish({ ...CALL, entries });
  expect(bulk.bulks).toEqual([]);
  expect([bulk.published.length, mostAtOnce]).toEqual([entries.length, BULK_PUBLISH_CONCURRENCY_MAX]);
});

test("what an instance says it can do counts for more than what its kind can", async () => {
  const { block, brokers } = createBlockFixture();
  const bulk = Object.assign(new BulkBroker(), { capabilities: [] });
  brokers.add("bulk", bulk, { capabilities: ["BULK_PUBSUB", "MESSAGE_TTL"] });
  await block.bulkPublish({ ...CALL, metadata: { ttlInSeconds: "5" } });
  expect(bulk.bulks).toEqual([]);
  expect(parsed(bulk.published[0]?.data)["expiration"]).toBe("2026-03-01T12:00:05Z");
});
