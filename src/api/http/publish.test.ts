import { describe, expect, test } from "vitest";
import { createBlockFixture, parsed } from "../../blocks/pubsub/pubsub.fixture.ts";
import { callInProcess } from "../../net/http/in-process.ts";
import { createHttpDoor } from "./door.ts";
import { publishRoutes } from "./publish.ts";

/** The publish routes behind a whole door, over the fake broker `pubsub`. */
function client(options: Parameters<typeof createBlockFixture>[0] = {}) {
  const fixture = createBlockFixture(options);
  const door = createHttpDoor({
    routes: publishRoutes(fixture.block, { maxBodyBytes: 1000 }),
    fallback: (exchange) => exchange.respond(418, []),
    apiToken: "",
    allowedOrigins: "",
    accessRules: { allowed: [], denied: [] },
    observer: { exchangeDone: () => undefined, errorAnswered: () => undefined },
    clock: fixture.clock,
    logger: fixture.logger,
  });
  const call = async (target: string, body = "", headers: readonly string[] = [], method = "POST") => {
    const response = await callInProcess(door, { method, target, headers, body: Buffer.from(body) });
    const text =
      response.body instanceof Uint8Array
        ? Buffer.from(response.body).toString()
        : expect.fail("the answer is a stream");
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: () => JSON.parse(text) as Record<string, unknown>,
    };
  };
  return { ...fixture, call };
}

const JSON_TYPE = ["content-type", "application/json"];

describe("POST /v1.0/publish/{pubsub}/{topic}", () => {
  test("publishes the body and answers 204", async () => {
    const { call, broker } = client();
    expect(await call("/v1.0/publish/pubsub/orders?metadata.key=v&x=y", '{"a":1}', JSON_TYPE)).toMatchObject({
      status: 204,
      text: "",
    });
    expect(broker.published[0]).toMatchObject({ topic: "orders", metadata: { key: "v" } });
    expect(parsed(broker.published[0]?.data)).toMatchObject({
      data: { a: 1 },
      source: "shop",
      topic: "orders",
      traceid: "",
    });
  });

  test.each([
    ["PUT", "/v1.0/publish/pubsub/a/b%20c/d", "a/b c/d"],
    ["POST", "/v1.0/publish/pubsub/a%2Fb", "a/b"],
    ["POST", "/v1.0/publish/bulk/x", undefined],
  ])("%s %s has topic %s", async (method, target, topic) => {
    const { call, broker } = client();
    const { status } = await call(target, "text", [], method);
    expect([status, broker.published[0]?.topic]).toEqual(topic === undefined ? [404, undefined] : [204, topic]);
  });

  test("a valid trace context goes into the envelope, any other does not", async () => {
    const { call, broker } = client();
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    await call("/v1.0/publish/pubsub/t", "", ["traceparent", traceparent, "tracestate", "a=b"]);
    await call("/v1.0/publish/pubsub/t", "", [
      "traceparent",
      "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    ]);
    expect(parsed(broker.published[0]?.data)).toMatchObject({ traceid: traceparent, traceparent, tracestate: "a=b" });
    expect(parsed(broker.published[1]?.data)).toMatchObject({ traceid: "", traceparent: "", tracestate: "" });
  });

  test.each([
    ["/v1.0/publish/nope/t", 404, "ERR_PUBSUB_NOT_FOUND", "pubsub nope is not found", 1],
    ["/v1.0/publish/pubsub", 404, "ERR_TOPIC_NAME_EMPTY", "topic is empty in pubsub pubsub", 2],
    ["/v1.0/publish/pubsub/", 404, "ERR_TOPIC_NAME_EMPTY", "topic is empty in pubsub pubsub", 2],
    ["/v1.0/publish", 404, "ERR_PUBSUB_EMPTY", "pubsub name is empty", 2],
    ["/v1.0/publish/", 404, "ERR_PUBSUB_EMPTY", "pubsub name is empty", 2],
    [
      "/v1.0/publish/pubsub/t?metadata.rawPayload=x",
      400,
      "ERR_PUBSUB_REQUEST_METADATA",
      "failed deserializing metadata. Error: rawPayload value must be a valid boolean: actual is 'x'",
      2,
    ],
  ])("%s answers %i %s", async (target, status, errorCode, message, details) => {
    const { call } = client();
    const answer = await call(target);
    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({ errorCode, message });
    expect(answer.json()["details"]).toHaveLength(details);
  });

  test("a body over the limit is refused", async () => {
    const { call } = client();
    expect((await call("/v1.0/publish/pubsub/t", "x".repeat(1001))).status).toBe(413);
  });
});

describe("POST /v1.0/publish/bulk/{pubsub}/{topic}", () => {
  const entries = [
    { entryId: "1", event: { n: 1 }, contentType: "application/json", metadata: { a: "b" } },
    { entryId: "2", event: "text", contentType: "text/plain" },
    { entryId: "3", event: "AP8=", contentType: "application/octet-stream" },
    { entryId: "4", event: { id: "x" }, contentType: "application/cloudevents+json" },
  ];

  test.each(["/v1.0/publish/bulk/pubsub/t", "/v1.0-alpha1/publish/bulk/pubsub/t"])(
    "%s publishes every entry",
    async (target) => {
      const { call, broker } = client();
      expect((await call(`${target}?metadata.c=d`, JSON.stringify(entries), JSON_TYPE)).status).toBe(204);
      const events = broker.published.map((request) => parsed(request.data));
      expect(events).toMatchObject([
        { data: { n: 1 } },
        { data: "text" },
        { data_base64: "AP8=" },
        { id: "x", topic: "t" },
      ]);
      expect(broker.published.map((request) => request.metadata)).toEqual([{ a: "b", c: "d" }, {}, {}, {}]);
    },
  );

  test("JSON events keep their numbers; names are read in any case; null is nothing", async () => {
    const { call, broker } = client();
    const body =
      '[{"ENTRYID":"1","event":12345678901234567890,"contenttype":"application/json","metadata":null,"more":[1]}]';
    expect((await call("/v1.0/publish/bulk/pubsub/t", body)).status).toBe(204);
    expect(Buffer.from(broker.published[0]?.data ?? []).toString()).toContain('{"data":12345678901234567890,');
    expect((await call("/v1.0/publish/bulk/pubsub/t", "null")).status).toBe(204);
    expect((await call("/v1.0/publish/bulk/pubsub/t", "[]")).status).toBe(204);
    expect(broker.published).toHaveLength(1);
  });

  const unmarshal = "error when unmarshaling the request for topic t pubsub pubsub: ";
  const marshal = "error when marshalling cloud event envelope for topic t pubsub pubsub: ";
  const mismatch = `${marshal}error: mismatch between contentType and event`;
  test.each([
    ['{"entryID": "}', `${unmarshal}unexpected EOF`],
    ["", `${unmarshal}EOF`],
    [
      '{"entryID": ""}',
      `${unmarshal}json: cannot unmarshal object into Go value of type []http.bulkPublishMessageEntry`,
    ],
    ["[1]", `${unmarshal}json: cannot unmarshal number into Go value of type http.bulkPublishMessageEntry`],
    [
      '[{"entryId":1}]',
      `${unmarshal}json: cannot unmarshal number into Go struct field bulkPublishMessageEntry.entryId of type string`,
    ],
    [
      '[{"metadata":[]}]',
      `${unmarshal}json: cannot unmarshal array into Go struct field bulkPublishMessageEntry.metadata of type map[string]string`,
    ],
    [
      '[{"metadata":{"a":1}}]',
      `${unmarshal}json: cannot unmarshal number into Go struct field bulkPublishMessageEntry.metadata of type string`,
    ],
    ["[}", `${unmarshal}invalid character '}' looking for beginning of value`],
    ['[{"entryId":"1","event":"x"}]', mismatch],
    ['[{"entryId":"1","event":1,"contentType":"text/plain"}]', mismatch],
    ['[{"entryId":"1","event":1,"contentType":"application/octet-stream"}]', mismatch],
    ['[{"entryId":"1","contentType":"foo/bar","event":"x"}]', mismatch],
    [
      '[{"entryId":"1","contentType":"application/octet-stream","event":"A*"}]',
      `${marshal}error: unable to decode base64 application/octect-stream data: illegal base64 data at input byte 1`,
    ],
    [
      '[{"event":1,"contentType":"application/json"}]',
      "error marshaling events to bytes for topic t pubsub pubsub. error: entryId is duplicated or not present for entry",
    ],
  ])("%s is refused", async (body, message) => {
    const { call, broker } = client();
    const answer = await call("/v1.0/publish/bulk/pubsub/t", body);
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ errorCode: "ERR_PUBSUB_EVENTS_SER", message });
    expect(broker.published).toEqual([]);
  });

  test("what the target lacks is said before the body is looked at", async () => {
    const { call } = client();
    expect((await call("/v1.0/publish/bulk/nope/t", "{")).json()).toMatchObject({ errorCode: "ERR_PUBSUB_NOT_FOUND" });
    expect((await call("/v1.0/publish/bulk/pubsub/", "{")).json()).toMatchObject({ errorCode: "ERR_TOPIC_NAME_EMPTY" });
    expect((await call("/v1.0/publish/bulk/pubsub/t?metadata.rawPayload=x", "{")).json()).toMatchObject({
      errorCode: "ERR_PUBSUB_REQUEST_METADATA",
    });
  });

  test("entries that could not be published are listed", async () => {
    const { call, broker } = client();
    broker.publishError = (request) => (parsed(request.data)["data"] === "text" ? new Error("no\nroom ü") : undefined);
    const answer = await call("/v1.0/publish/bulk/pubsub/t", JSON.stringify(entries), JSON_TYPE);
    expect(answer.status).toBe(500);
    expect(answer.json()).toEqual({
      failedEntries: [{ entryId: "2", error: "no\nroom ü" }],
      errorCode: "ERR_PUBSUB_PUBLISH_MESSAGE",
    });
    const error = answer.headers[answer.headers.indexOf("metadata.error") + 1];
    expect(error).toMatch(
      /^api error: code = Internal desc = error when publishing to topic t in pubsub pubsub: no room /,
    );
    expect(answer.headers).toContain("metadata.responsedata");
  });
});
