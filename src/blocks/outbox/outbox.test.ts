import { describe, expect, test } from "vitest";
import { ComponentError } from "../../components/spi/errors.ts";
import { etagMismatch } from "../../components/spi/etag-errors.ts";
import { parsed, settle } from "../pubsub/pubsub.fixture.ts";
import { INTERNAL_TOPIC, outboxFixture, type OutboxFixture, removal, upsert } from "./outbox.fixture.ts";

/** Takes what lies at the internal topic to the relay, as the broker would. */
function deliver({ broker }: OutboxFixture, index = 0): Promise<void> {
  const message = broker.published.filter(({ topic }) => topic === INTERNAL_TOPIC)[index];
  return broker.push(INTERNAL_TOPIC, message?.data ?? "");
}

const relayed = ({ broker }: OutboxFixture) => broker.published.filter(({ topic }) => topic === "orders");

describe("a transaction on a store with an outbox", () => {
  test("lays an event at the internal topic and a marker into the store", async () => {
    const fixture = await outboxFixture();
    await fixture.transact(upsert("1", '"2"', { "outbox.cloudevent.myapp": "myapp1", data: "a", id: "b" }));
    expect(fixture.broker.published.map(({ topic }) => topic)).toEqual([INTERNAL_TOPIC]);
    const event = parsed(fixture.broker.published[0]?.data);
    expect(event).toEqual({
      data: "2",
      datacontenttype: "text/plain",
      id: expect.stringMatching(/^outbox-id-\d+$/) as unknown,
      "outbox.cloudevent.myapp": "myapp1",
      pubsubname: "pubsub",
      source: "shop",
      specversion: "1.0",
      time: "2026-03-01T12:00:00Z",
      topic: "",
      traceid: "",
      traceparent: "",
      tracestate: "",
      type: "com.dapr.event.sent",
    });
    expect(fixture.store.rows).toEqual({ "shop||1": '"2"', [String(event["id"])]: '"0"' });
  });

  test("is relayed to its topic, and its marker deleted", async () => {
    const fixture = await outboxFixture();
    await fixture.transact(upsert("1", '"2"'));
    await deliver(fixture);
    expect(relayed(fixture).map(({ data, contentType }) => [parsed(data), contentType])).toMatchObject([
      [
        { data: "2", topic: "orders", pubsubname: "pubsub", id: expect.stringContaining("outbox-") as unknown },
        "text/plain",
      ],
    ]);
    expect(fixture.store.rows).toEqual({ "shop||1": '"2"' });
  });

  test("has an event for each write and none for deletes", async () => {
    const fixture = await outboxFixture();
    await fixture.transact(upsert("1", "1"), removal("2", { note: "x" }), upsert("3", "3"));
    expect(fixture.broker.published.map(({ data }) => parsed(data)["data"])).toEqual(["1", "3"]);
    expect(Object.keys(fixture.store.rows)).toHaveLength(4);
  });

  test("of deletes alone needs no outbox", async () => {
    const fixture = await outboxFixture();
    await fixture.outbox.close();
    await fixture.transact(removal("2"));
    expect(fixture.broker.published).toEqual([]);
  });

  test("publishes projections in place of what is stored, each for the write of its key", async () => {
    const fixture = await outboxFixture();
    const projection = { "outbox.projection": "true" };
    await fixture.transact(
      upsert("a", '"stored a"', { mine: "1" }),
      upsert("a", '"told a"', projection),
      upsert("b", '"stored b"'),
      upsert("b", '"told b"', { ...projection, contentType: "application/json" }),
      upsert("c", '"stored c"'),
      upsert("nobody", '"told to nobody"', projection),
    );
    const events = fixture.broker.published.map(({ data }) => parsed(data));
    expect(events.map((event) => [event["data"], event["datacontenttype"], event["mine"]])).toEqual([
      ["told a", "text/plain", "1"],
      ["told b", "application/json", undefined],
      ["stored c", "text/plain", undefined],
    ]);
    expect(fixture.store.rows).toMatchObject({
      "shop||a": '"stored a"',
      "shop||b": '"stored b"',
      "shop||c": '"stored c"',
    });
    expect(fixture.store.rows["shop||nobody"]).toBeUndefined();
  });

  test("publishes JSON as JSON where its content type says so, and keeps every digit", async () => {
    const fixture = await outboxFixture();
    await fixture.transact(upsert("1", '{"n":12345678901234567890}', { contentType: "application/json" }));
    await deliver(fixture);
    expect(Buffer.from(relayed(fixture)[0]?.data ?? []).toString()).toContain('"data":{"n":12345678901234567890}');
  });

  test("carries the trace of its request", async () => {
    const fixture = await outboxFixture();
    const trace = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=1" };
    await fixture.state.transaction({ store: "mystore", operations: [upsert("1", "1")], metadata: {}, trace });
    expect(parsed(fixture.broker.published[0]?.data)).toMatchObject({ traceid: trace.traceparent, tracestate: "a=1" });
  });

  test("of an encrypted store publishes what is stored", async () => {
    const key = { primaryEncryptionKey: "000102030405060708090a0b0c0d0e0f" };
    const fixture = await outboxFixture(key, { primaryEncryptionKey: "k" });
    await fixture.transact(upsert("1", '"secret"'));
    const { data } = parsed(fixture.broker.published[0]?.data);
    expect(data).toBe(fixture.store.rows["shop||1"]);
    expect(data).toMatch(/\|\|k$/);
  });
});

describe("nothing is published for a transaction that did not happen", () => {
  test("one that the store refuses: its event is dropped", async () => {
    const fixture = await outboxFixture();
    fixture.store.refusal = etagMismatch("no");
    await expect(fixture.transact(upsert("1", "1"))).rejects.toThrow("error while executing state transaction");
    await deliver(fixture);
    expect(relayed(fixture)).toEqual([]);
  });

  test("one whose event the broker does not take: the store is not even asked", async () => {
    const fixture = await outboxFixture();
    fixture.broker.publishError = () => new Error("broker is down");
    await expect(fixture.transact(upsert("1", "1"))).rejects.toMatchObject({
      message: "error while publishing outbox message: broker is down",
      entry: { code: "ERR_PUBLISH_OUTBOX", httpStatus: 500 },
      details: [
        {
          kind: "ErrorInfo",
          reason: "DAPR_PUBSUB_OUTBOX",
          metadata: { appID: "shop", error: "broker is down" },
        },
      ],
    });
    expect(fixture.store.rows).toEqual({});
  });

  test("one of several events that the broker does not take: those before it are dropped", async () => {
    const fixture = await outboxFixture();
    fixture.broker.publishError = () => (fixture.broker.published.length === 1 ? new Error("full") : undefined);
    await expect(fixture.transact(upsert("1", "1"), upsert("2", "2"))).rejects.toThrow("full");
    await deliver(fixture);
    expect(relayed(fixture)).toEqual([]);
  });

  test("a crash between event and transaction: the event goes back to the broker for ever", async () => {
    const before = await outboxFixture();
    before.store.gate = new Promise(() => undefined);
    void before.transact(upsert("1", "1"));
    await settle();
    const after = await before.restart();
    const delivery = deliver(after);
    const outcome = expect(delivery).rejects.toThrow("outbox state not found");
    await after.elapse(12_000);
    await outcome;
    await expect(deliver(after), "the second time it is not waited for").rejects.toThrow("outbox state not found");
    expect(after.logger.lines).toContain(
      "error failed to publish outbox topic to pubsub pubsub: cannot publish outbox message to topic orders with pubsub pubsub: outbox state not found, rejecting for later processing",
    );
    expect(relayed(after)).toEqual([]);
  });

  test("or is dropped where the store says so", async () => {
    const before = await outboxFixture({ outboxDiscardWhenMissingState: "true" });
    before.store.gate = new Promise(() => undefined);
    void before.transact(upsert("1", "1"));
    await settle();
    const after = await before.restart();
    const delivery = deliver(after);
    await after.elapse(12_000);
    await delivery;
    expect(after.logger.lines.at(-1)).toMatch(/outbox state not found, discarding message$/);
    expect(relayed(after)).toEqual([]);
  });
});

describe("nothing that was answered is lost", () => {
  test("a crash after the transaction: the event is relayed by the sidecar that comes after", async () => {
    const before = await outboxFixture();
    await before.transact(upsert("1", '"2"'));
    const after = await before.restart();
    await deliver(after);
    expect(relayed(after)).toHaveLength(1);
    expect(after.store.rows).toEqual({ "shop||1": '"2"' });
  });

  test("an event that is there before its transaction waits for it", async () => {
    const fixture = await outboxFixture();
    const gate = Promise.withResolvers<void>();
    fixture.store.gate = gate.promise;
    const transaction = fixture.transact(upsert("1", "1"));
    await settle();
    const delivery = deliver(fixture);
    await fixture.elapse(60_000);
    expect(relayed(fixture)).toEqual([]);
    gate.resolve();
    await Promise.all([transaction, delivery]);
    expect(relayed(fixture)).toHaveLength(1);
  });

  test("a transaction whose answer got lost is found in the store", async () => {
    const fixture = await outboxFixture();
    fixture.store.lostAnswer = new ComponentError("unavailable", "connection reset");
    await expect(fixture.transact(upsert("1", "1"))).rejects.toThrow("connection reset");
    await deliver(fixture);
    expect(relayed(fixture)).toHaveLength(1);
  });

  test("a transaction of another sidecar is waited for", async () => {
    const fixture = await outboxFixture();
    await fixture.transact(upsert("1", "1"));
    const [marker = ""] = Object.keys(fixture.store.rows).filter((key) => key.startsWith("outbox-"));
    fixture.store.values.delete(marker);
    const other = await fixture.restart();
    const delivery = deliver(other);
    await other.elapse(3_000);
    expect(relayed(other)).toEqual([]);
    other.store.values.set(marker, Buffer.from('"0"'));
    await other.elapse(3_000);
    await delivery;
    expect(relayed(other)).toHaveLength(1);
  });

  test("a store that cannot be asked keeps the event, even where missing state is discarded", async () => {
    const before = await outboxFixture({ outboxDiscardWhenMissingState: "true" });
    await before.transact(upsert("1", "1"));
    const [marker = ""] = Object.keys(before.store.rows).filter((key) => key.startsWith("outbox-"));
    const after = await before.restart();
    after.store.failures.set(marker, new ComponentError("unavailable", "store is down"));
    const outcome = expect(deliver(after)).rejects.toThrow("store is down");
    await after.elapse(12_000);
    await outcome;
    after.store.failures.clear();
    await deliver(after);
    expect(relayed(after)).toHaveLength(1);
  });

  test("an event that its topic does not take goes back to the broker, and keeps its marker", async () => {
    const fixture = await outboxFixture();
    await fixture.transact(upsert("1", "1"));
    fixture.broker.publishError = () => new Error("no such topic");
    await expect(deliver(fixture)).rejects.toThrow("no such topic");
    fixture.broker.publishError = undefined;
    await deliver(fixture);
    expect(relayed(fixture)).toHaveLength(1);
  });

  test("one whose acknowledgement got lost is not sent again", async () => {
    const fixture = await outboxFixture();
    await fixture.transact(upsert("1", "1"));
    await deliver(fixture);
    await deliver(fixture);
    expect(relayed(fixture)).toHaveLength(1);
  });

  test("a marker that cannot be deleted brings its event back", async () => {
    const fixture = await outboxFixture();
    await fixture.transact(upsert("1", "1"));
    const [marker = ""] = Object.keys(fixture.store.rows).filter((key) => key.startsWith("outbox-"));
    fixture.store.failures.set(marker, new ComponentError("unavailable", "store is down"));
    const outcome = expect(deliver(fixture)).rejects.toThrow("store is down");
    await fixture.elapse(12_000);
    await outcome;
  });
});

describe("the internal subscription", () => {
  test("takes no message that comes from no outbox: its id would name a key to delete", async () => {
    const fixture = await outboxFixture();
    fixture.store.values.set("shop||1", Buffer.from("1"));
    await fixture.broker.push(INTERNAL_TOPIC, '{"id":"shop||1","data":"x"}');
    await fixture.broker.push(INTERNAL_TOPIC, '["outbox-1"]');
    expect(fixture.store.rows).toEqual({ "shop||1": "1" });
    expect(relayed(fixture)).toEqual([]);
  });

  test("that the broker refuses is tried again, and until then transactions are refused", async () => {
    const fixture = await outboxFixture();
    fixture.broker.subscribeError = new Error("not yet");
    fixture.brokers.add("pubsub", fixture.broker);
    await settle();
    await expect(fixture.transact(upsert("1", "1"))).rejects.toThrow(
      "the outbox of state store mystore does not take events: not yet",
    );
    fixture.broker.subscribeError = undefined;
    await fixture.elapse(500);
    await fixture.transact(upsert("1", "1"));
    expect(fixture.broker.handlers.has(INTERNAL_TOPIC)).toBe(true);
  });

  test("follows a broker that comes later or is replaced", async () => {
    const fixture = await outboxFixture({ outboxPubsub: "internal" });
    await expect(fixture.transact(upsert("1", "1"))).rejects.toThrow("outbox pubsub internal not loaded");
    const internal = { pubsubName: "internal", topic: INTERNAL_TOPIC, source: { kind: "outbox", store: "mystore" } };
    expect(fixture.outbox.conditions()).toEqual([
      { ...internal, state: "waiting", waitingFor: "component", reason: "outbox pubsub internal not loaded" },
    ]);
    fixture.brokers.add("internal", fixture.broker);
    await settle();
    expect(fixture.outbox.conditions()).toEqual([{ ...internal, state: "active" }]);
    await fixture.transact(upsert("1", "1"));
    expect(parsed(fixture.broker.published[0]?.data)["pubsubname"]).toBe("internal");
    await deliver(fixture);
    expect(parsed(relayed(fixture)[0]?.data)["pubsubname"]).toBe("pubsub");
  });

  test("ends with its store", async () => {
    const fixture = await outboxFixture();
    fixture.stores.remove("mystore");
    await settle();
    expect(fixture.broker.handlers.size).toBe(0);
  });

  test("gives back what waits for a marker when it closes, in no hurry to say so", async () => {
    const before = await outboxFixture();
    before.store.gate = new Promise(() => undefined);
    void before.transact(upsert("1", "1"));
    await settle();
    const after = await before.restart();
    const outcome = expect(deliver(after)).rejects.toMatchObject({ name: "ConsumerGoneError" });
    await settle();
    await after.outbox.close();
    await outcome;
    expect(after.clock.pendingTimers).toBe(0);
  });
});
