import fc from "fast-check";
import { expect, test } from "vitest";
import { createBlockFixture, FakeChannel, parsed, subscriptionTo } from "./pubsub.fixture.ts";
import { createSubscriptions } from "./subscriptions.ts";

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.json().map((text) => new Uint8Array(Buffer.from(text))),
  fc.string({ unit: "grapheme" }).map((text) => new Uint8Array(Buffer.from(text))),
);
const text = fc.string({ unit: "binary", maxLength: 12 });
const contentType = fc.oneof(
  fc.constantFrom(
    "",
    "application/json",
    "text/plain",
    "application/octet-stream",
    "application/json; charset=utf-8",
    "application/x-protobuf",
    "foo/bar",
  ),
  text.filter((type) => !type.toLowerCase().startsWith("application/cloudevents+json")),
);
const metadata = fc.dictionary(
  fc.oneof(
    text,
    fc.constantFrom(
      "cloudevent.id",
      "CLOUDEVENT.type",
      "cloudevent.subject",
      "cloudevent.traceparent",
      "ttl",
      "ttlInSeconds",
    ),
  ),
  text,
  { maxKeys: 4, noNullPrototype: true },
);

async function envelopeOf(call: {
  data: Uint8Array;
  contentType: string;
  metadata: Record<string, string>;
  topic: string;
}) {
  const { block, broker } = createBlockFixture();
  await block.publish({ pubsub: "pubsub", ...call });
  const data = broker.published[0]?.data ?? expect.fail("nothing was published");
  new TextDecoder("utf-8", { fatal: true }).decode(data);
  return parsed(data);
}

/** The JSON value of bytes; undefined when they hold none. */
function jsonOf(data: Uint8Array): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(Buffer.from(data).toString()) };
  } catch {
    return undefined;
  }
}

test("any data, content type and metadata make a valid envelope that holds the data", async () => {
  await fc.assert(
    fc.asyncProperty(
      bytes,
      contentType,
      metadata,
      text.filter((topic) => topic !== ""),
      async (data, type, meta, topic) => {
        const envelope = await envelopeOf({ data, contentType: type, metadata: meta, topic });
        const wanted = type === "" ? "text/plain" : type;
        expect(envelope).toMatchObject({
          pubsubname: "pubsub",
          specversion: "1.0",
          datacontenttype: wanted.toWellFormed(),
          topic: topic.toWellFormed(),
        });
        for (const name of ["id", "source", "type", "time", "traceid", "traceparent", "tracestate"]) {
          expect(typeof envelope[name]).toBe("string");
        }
        const json = wanted.toLowerCase().split(";")[0] === "application/json" ? jsonOf(data) : undefined;
        if (envelope["data_base64"] !== undefined) {
          expect(new Uint8Array(Buffer.from(envelope["data_base64"] as string, "base64"))).toEqual(data);
        } else if (json !== undefined) {
          expect(JSON.stringify(envelope["data"])).toBe(JSON.stringify(json.value));
        } else if (wanted.toLowerCase().split(";")[0] !== "application/json") {
          expect(envelope["data"]).toBe(Buffer.from(data).toString());
        }
      },
    ),
  );
});

test("any bytes that call themselves a CloudEvent make a valid envelope or a catalogue error", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        bytes,
        fc.dictionary(text, fc.jsonValue()).map((event) => new Uint8Array(Buffer.from(JSON.stringify(event)))),
      ),
      async (data) => {
        const json = jsonOf(data)?.value;
        const call = { data, contentType: "application/cloudevents+json", metadata: {}, topic: "t" };
        const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
        const envelope = await envelopeOf(call).catch((error: unknown) => {
          expect(error).toMatchObject({ name: "ApiError", message: "cannot create cloudevent" });
          expect(isObject).toBe(false);
          return undefined;
        });
        if (envelope !== undefined && isObject) {
          expect(envelope).toMatchObject({ topic: "t", pubsubname: "pubsub" });
          expect(envelope["specversion"]).not.toBeUndefined();
          for (const [name, value] of Object.entries(json)) {
            if (value !== null && name !== "topic" && name !== "pubsubname") {
              expect(JSON.stringify(envelope[name])).toBe(JSON.stringify(value));
            }
          }
        }
      },
    ),
  );
});

test("any message is acknowledged, dead lettered or given back, and reaches the app at most once", async () => {
  const rules = [
    { match: 'event.type == "a"', path: "/a" },
    { match: "", path: "/b" },
  ];
  await fc.assert(
    fc.asyncProperty(
      bytes,
      metadata,
      fc.constantFrom("", "true", "x"),
      fc.boolean(),
      async (data, meta, rawPayload, dead) => {
        const fixture = createBlockFixture();
        const channel = new FakeChannel();
        channel.subscriptions = [
          subscriptionTo("t", { rules, metadata: { rawPayload }, deadLetterTopic: dead ? "dead" : "" }),
        ];
        await createSubscriptions({ ...fixture, programmaticEnabled: true }).start(channel);
        const outcome = await fixture.broker.push("t", data, { metadata: meta }).then(
          () => "acknowledged",
          (error: unknown) => (error instanceof Error ? "given back" : "thrown"),
        );
        const seen = channel.events.length + fixture.broker.published.length;
        expect(seen).toBe(outcome === "acknowledged" ? 1 : 0);
        expect(outcome).not.toBe("thrown");
      },
    ),
  );
});
