import { describe, expect, test } from "vitest";
import type { ApiError } from "../../errors/error.ts";
import { createBlockFixture, parsed } from "./pubsub.fixture.ts";
import type { PublishCall } from "./pubsub-block.ts";

function call(rest: Partial<Omit<PublishCall, "data">> & { data?: string | Uint8Array } = {}): PublishCall {
  return {
    pubsub: "pubsub",
    topic: "orders",
    contentType: "application/json",
    metadata: {},
    ...rest,
    data: Buffer.from(rest.data ?? '{"a":1}'),
  };
}

async function publishedBy(rest: Parameters<typeof call>[0], options?: Parameters<typeof createBlockFixture>[0]) {
  const { block, broker } = createBlockFixture(options);
  await block.publish(call(rest));
  return broker.published[0] ?? expect.fail("nothing was published");
}

async function envelopeOf(rest: Parameters<typeof call>[0], options?: Parameters<typeof createBlockFixture>[0]) {
  return parsed((await publishedBy(rest, options)).data);
}

async function failureOf(action: Promise<unknown>): Promise<ApiError> {
  return action.then(
    () => expect.fail("it should have failed"),
    (error: unknown) => error as ApiError,
  );
}

const ENVELOPE = {
  data: { a: 1 },
  datacontenttype: "application/json",
  id: "id-1",
  pubsubname: "pubsub",
  source: "shop",
  specversion: "1.0",
  time: "2026-03-01T12:00:00Z",
  topic: "orders",
  traceid: "",
  traceparent: "",
  tracestate: "",
  type: "com.dapr.event.sent",
};

describe("the envelope", () => {
  test("has Dapr's attributes in Dapr's order", async () => {
    const { data } = await publishedBy({});
    expect(Buffer.from(data).toString()).toBe(JSON.stringify(ENVELOPE));
  });

  test("keeps JSON as it stands, so that numbers lose nothing", async () => {
    const json = '{ "n": 12345678901234567890, "f": 1.10, "z": 1e400 }';
    const { data } = await publishedBy({ data: json });
    expect(Buffer.from(data).toString()).toContain(`{"data":${json},`);
  });

  test.each([
    ["text/plain", "héllo", "héllo"],
    ["", "no content type is text", "no content type is text"],
    ["application/json", "not json", "not json"],
    ["application/json", "", ""],
    ["application/json; charset=utf-8", "[1]", [1]],
    ["APPLICATION/JSON", "true", true],
    ["application/json", '{"a":1} and more', { a: 1 }],
    ["application/json", '"a"b', '"a"b'],
    ["application/json", "12 13", 12],
    ["application/xml", "<a/>", "<a/>"],
    ["foo/bar", "anything else is text", "anything else is text"],
  ])("content type %s with %s", async (contentType, data, expected) => {
    const envelope = await envelopeOf({ contentType, data });
    expect(envelope["data"]).toEqual(expected);
    expect(envelope["datacontenttype"]).toBe(contentType === "" ? "text/plain" : contentType);
  });

  test.each(["application/octet-stream", "application/cloudevents+protobuf", "application/x-protobuf"])(
    "%s becomes base64",
    async (contentType) => {
      const envelope = await envelopeOf({ contentType, data: new Uint8Array([0, 255, 16]) });
      expect(envelope["data_base64"]).toBe("AP8Q");
      expect(envelope).not.toHaveProperty("data");
    },
  );

  test("replaces broken UTF-8 in JSON text", async () => {
    const envelope = await envelopeOf({ data: Buffer.from([0x22, 0xff, 0x22]) });
    expect(envelope["data"]).toBe("\uFFFD");
  });

  test("takes overrides in any case; traceparent wins over traceid", async () => {
    const metadata = {
      "cloudevent.ID": "mine",
      "CloudEvent.source": "src",
      "cloudevent.type": "t",
      "cloudevent.subject": "s",
      "cloudevent.traceid": "x",
      "cloudevent.traceparent": "y",
      "cloudevent.tracestate": "z",
      "cloudevent.topic": "no",
      other: "no",
    };
    expect(await envelopeOf({ metadata })).toEqual({
      ...ENVELOPE,
      id: "mine",
      source: "src",
      type: "t",
      subject: "s",
      traceid: "y",
      traceparent: "y",
      tracestate: "z",
    });
  });

  test("carries the request's trace context", async () => {
    const trace = { traceparent: "00-1-2-01", tracestate: "a=b" };
    expect(await envelopeOf({ trace })).toEqual({
      ...ENVELOPE,
      traceid: "00-1-2-01",
      traceparent: "00-1-2-01",
      tracestate: "a=b",
    });
  });

  test.each([
    ["ttlInSeconds", "10", "2026-03-01T12:00:10Z"],
    ["TTLINSECONDS", "10", "2026-03-01T12:00:10Z"],
    ["ttl", "1m30s", "2026-03-01T12:01:30Z"],
    ["ttl", "0", "2026-03-01T12:00:00Z"],
    ["ttl", "-5s", "2026-03-01T12:00:00Z"],
    ["ttlInSeconds", "9223372036854775807", "2318-06-11T11:47:17Z"],
    ["ttlInSeconds", "-5", undefined],
    ["ttlInSeconds", "soon", undefined],
    ["ttlInSeconds", "", undefined],
  ])("%s=%s expires at %s", async (name, value, expiration) => {
    expect((await envelopeOf({ metadata: { [name]: value } }))["expiration"]).toBe(expiration);
  });

  test("has no expiration where the broker expires messages itself", async () => {
    const envelope = await envelopeOf({ metadata: { ttlInSeconds: "10" } }, { capabilities: ["MESSAGE_TTL"] });
    expect(envelope).not.toHaveProperty("expiration");
  });
});

describe("content that is a CloudEvent already", () => {
  const contentType = "application/cloudevents+json";

  test("keeps its own attributes and gets ours", async () => {
    const { data } = await publishedBy({
      contentType,
      data: '{"id":"x","source":"s","type":"t","data":{"n":1.10},"topic":"other"}',
    });
    expect(Buffer.from(data).toString()).toBe(
      '{"data":{"n":1.10},"id":"x","pubsubname":"pubsub","source":"s","specversion":"1.0","time":"2026-03-01T12:00:00Z","topic":"orders",' +
        '"traceid":"","traceparent":"","tracestate":"","type":"t"}',
    );
  });

  test("keeps time, trace and attributes of any type; null source and type count as missing", async () => {
    const data =
      '{"source":null,"type":null,"time":"then","traceid":5,"traceparent":{"x":1},"tracestate":"s","ext":[1]}';
    expect(
      await envelopeOf({ contentType, data, metadata: { "cloudevent.id": "ignored", ttlInSeconds: "1" } }),
    ).toEqual({
      source: "Dapr",
      type: "com.dapr.event.sent",
      specversion: "1.0",
      time: "then",
      traceid: 5,
      traceparent: { x: 1 },
      tracestate: "s",
      ext: [1],
      topic: "orders",
      pubsubname: "pubsub",
      expiration: "2026-03-01T12:00:01Z",
    });
  });

  test.each(['{"}', "[]", "null", "", '"text"'])("%s is refused", async (data) => {
    const { block } = createBlockFixture();
    const error = await failureOf(block.publish(call({ contentType, data })));
    expect(error).toMatchObject({
      message: "cannot create cloudevent",
      httpStatus: 500,
      grpcStatus: 3,
      entry: { code: "ERR_PUBSUB_CLOUD_EVENTS_SER" },
    });
    expect(error.details[1]).toMatchObject({ reason: "DAPR_PUBSUB_CLOUD_EVENT_CREATION", metadata: { appID: "shop" } });
  });
});

describe("raw payloads", () => {
  test("go out as they came, with the trace in the metadata", async () => {
    const metadata = { rawPayload: "true", key: "v" };
    const request = await publishedBy({ data: "bytes", metadata, trace: { traceparent: "p", tracestate: "s" } });
    expect(Buffer.from(request.data).toString()).toBe("bytes");
    expect(request.metadata).toEqual({ rawPayload: "true", key: "v", traceid: "p", tracestate: "s" });
  });

  test("a value that is no boolean is refused", async () => {
    const { block } = createBlockFixture();
    const error = await failureOf(block.publish(call({ metadata: { rawPayload: "maybe" } })));
    expect(error).toMatchObject({
      message: "failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is 'maybe'",
      httpStatus: 400,
      grpcStatus: 3,
      entry: { code: "ERR_PUBSUB_REQUEST_METADATA" },
    });
    expect(error.details).toEqual([
      { kind: "ResourceInfo", resourceType: "pubsub", resourceName: "pubsub", owner: "", description: error.message },
      {
        kind: "ErrorInfo",
        reason: "DAPR_PUBSUB_METADATA_DESERIALIZATION",
        domain: "dapr.io",
        metadata: { rawPayload: "maybe" },
      },
    ]);
  });
});

describe("where a message may go", () => {
  test("a broker that is scoped to the namespace gets prefixed topics, the envelope does not", async () => {
    const request = await publishedBy({}, { namespaceScoped: true });
    expect(request.topic).toBe("prodorders");
    expect(parsed(request.data)["topic"]).toBe("orders");
  });

  test.each([
    [{ allowedTopics: "a, orders" }, true],
    [{ allowedTopics: "a" }, false],
    [{ protectedTopics: "orders" }, false],
    [{ protectedTopics: "orders", publishingScopes: "shop=orders" }, true],
    [{ publishingScopes: "shop=orders;other=x" }, true],
    [{ PublishingScopes: "shop=x" }, false],
    [{ publishingScopes: "shop=" }, false],
    [{ publishingScopes: "other=x" }, true],
    [{ subscriptionScopes: "shop=x" }, true],
  ])("%j permits it: %s", async (metadata, permitted) => {
    const { block, broker } = createBlockFixture({ metadata });
    if (permitted) {
      await block.publish(call());
      expect(broker.published).toHaveLength(1);
      return;
    }
    const error = await failureOf(block.publish(call()));
    expect(error).toMatchObject({
      message: "topic orders is not allowed for app id shop",
      httpStatus: 403,
      grpcStatus: 7,
      entry: { code: "ERR_PUBSUB_FORBIDDEN" },
    });
  });

  test.each([
    [{ pubsub: "" }, "pubsub name is empty", 404, "ERR_PUBSUB_EMPTY", 2],
    [{ pubsub: "nope" }, "pubsub nope is not found", 404, "ERR_PUBSUB_NOT_FOUND", 1],
    [{ topic: "" }, "topic is empty in pubsub pubsub", 404, "ERR_TOPIC_NAME_EMPTY", 2],
  ])("%j is refused: %s", async (rest, message, httpStatus, code, details) => {
    const { block } = createBlockFixture();
    const error = await failureOf(block.publish(call(rest)));
    expect(error).toMatchObject({ message, httpStatus, grpcStatus: 3, entry: { code } });
    expect(error.details).toHaveLength(details);
  });

  test("a broker that is gone is no longer found", async () => {
    const { block, brokers } = createBlockFixture();
    brokers.remove("pubsub");
    await expect(block.publish(call())).rejects.toThrow("pubsub pubsub is not found");
    await expect(block.forward("pubsub", "t", new Uint8Array(), undefined, {})).rejects.toMatchObject({
      message: "pubsub 'pubsub' not found",
      httpStatus: 400,
      grpcStatus: 5,
    });
  });

  test("the broker's refusal stands in the error", async () => {
    const { block, broker } = createBlockFixture();
    broker.publishError = () => new Error("disk full");
    const error = await failureOf(block.publish(call()));
    expect(error).toMatchObject({
      message: "error when publishing to topic orders in pubsub pubsub: disk full",
      httpStatus: 500,
      grpcStatus: 13,
      entry: { code: "ERR_PUBSUB_PUBLISH_MESSAGE" },
    });
    expect(error.details[1]).toMatchObject({
      reason: "DAPR_PUBSUB_PUBLISH_MESSAGE",
      metadata: { topic: "orders", error: "disk full" },
    });
  });
});

describe("bulk publish", () => {
  const entry = (entryId: string, rest: { metadata?: Record<string, string>; contentType?: string } = {}) => ({
    entryId,
    event: Buffer.from(`"${entryId}"`),
    contentType: rest.contentType ?? "application/json",
    metadata: rest.metadata,
  });
  const bulk = (entries: ReturnType<typeof entry>[], metadata: Record<string, string> = {}) => ({
    pubsub: "pubsub",
    topic: "orders",
    entries,
    metadata,
  });

  test("wraps each entry; request metadata applies only where the entry has some, and the entry's wins", async () => {
    const { block, broker } = createBlockFixture();
    const entries = [entry("1"), entry("2", { metadata: { a: "entry" } })];
    expect(await block.bulkPublish(bulk(entries, { a: "request", ttlInSeconds: "1" }))).toEqual({
      failedEntries: [],
      failure: undefined,
    });
    const [first, second] = broker.published;
    expect(first?.metadata).toEqual({});
    expect(parsed(first?.data)).toEqual({ ...ENVELOPE, data: "1" });
    expect(second?.metadata).toEqual({ a: "entry", ttlInSeconds: "1" });
    expect(parsed(second?.data)).toMatchObject({ data: "2", expiration: "2026-03-01T12:00:01Z" });
  });

  test("raw entries go out as they came", async () => {
    const { block, broker } = createBlockFixture();
    await block.bulkPublish(bulk([entry("1")], { rawPayload: "1" }));
    expect(Buffer.from(broker.published[0]?.data ?? []).toString()).toBe('"1"');
  });

  test.each([[["1", "1"]], [[""]]])("ids %j are refused", async (ids) => {
    const { block, broker } = createBlockFixture();
    const error = await failureOf(block.bulkPublish(bulk(ids.map((id) => entry(id)))));
    expect(error).toMatchObject({
      message:
        "error marshaling events to bytes for topic orders pubsub pubsub. error: entryId is duplicated or not present for entry",
      httpStatus: 400,
      grpcStatus: 3,
      entry: { code: "ERR_PUBSUB_EVENTS_SER", reason: "DAPR_PUBSUB_MARSHAL_EVENTS" },
    });
    expect(broker.published).toEqual([]);
  });

  test("lists what failed, publishes the rest, never more than 100 at once", async () => {
    const { block, broker } = createBlockFixture();
    let under = 0;
    let most = 0;
    const publish = broker.publish.bind(broker);
    broker.publish = async (request) => {
      under += 1;
      most = Math.max(most, under);
      await publish(request).finally(() => {
        under -= 1;
      });
    };
    broker.publishError = (request) => (parsed(request.data)["data"] === "7" ? new Error("no room") : undefined);
    const outcome = await block.bulkPublish(bulk(Array.from({ length: 250 }, (_, index) => entry(String(index)))));
    expect(outcome.failedEntries).toEqual([{ entryId: "7", error: "no room" }]);
    expect(outcome.failure?.message).toBe("error when publishing to topic orders in pubsub pubsub: no room");
    expect(broker.published).toHaveLength(249);
    expect(most).toBe(100);
  });

  test("scopes hold", async () => {
    const { block } = createBlockFixture({ metadata: { allowedTopics: "x" } });
    await expect(block.bulkPublish(bulk([entry("1")]))).rejects.toThrow("topic orders is not allowed for app id shop");
  });
});
