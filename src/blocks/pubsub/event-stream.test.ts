import { expect, test } from "vitest";
import type { TopicEvent } from "../../app/types.ts";
import { ConsumerGoneError } from "../../components/spi/pubsub.ts";
import { Cancellation, NEVER_CANCELLED } from "../../kit/cancel-signal.ts";
import { EventStream, UNANSWERED_EVENTS_MAX } from "./event-stream.ts";

const SUCCESS = 0;
const RETRY = 1;
const DROP = 2;

function eventOf(id: unknown): TopicEvent {
  return {
    pubsubName: "pubsub",
    topic: "orders",
    path: "/",
    envelope: new Uint8Array(),
    fields: { id },
    rawPayload: false,
    metadata: {},
  };
}

function setUp() {
  const sent: unknown[] = [];
  const stream = new EventStream((event) => void sent.push(event.fields["id"]));
  const deliver = (id: unknown) => stream.deliver(eventOf(id), NEVER_CANCELLED);
  return { sent, stream, deliver };
}

test("events go out in order and are answered by their ids in any order", async () => {
  const { sent, stream, deliver } = setUp();
  const [one, two, three] = [deliver("1"), deliver("2"), deliver("3")];
  expect(sent).toEqual(["1", "2", "3"]);
  expect(stream.answer("3", DROP)).toBe(true);
  expect(stream.answer("1", SUCCESS)).toBe(true);
  expect(stream.answer("2", RETRY)).toBe(true);
  expect(await Promise.all([one, two, three])).toEqual([
    { kind: "success" },
    { kind: "retry", reason: "RETRY status returned from app while processing pub/sub event 2" },
    { kind: "drop", severity: "warn", reason: "DROP status returned from app while processing pub/sub event 3" },
  ]);
});

test("a status that is none asks for the event again", async () => {
  const { stream, deliver } = setUp();
  const one = deliver("1");
  stream.answer("1", 7 as never);
  expect(await one).toMatchObject({
    kind: "retry",
    reason: expect.stringContaining("unknown status returned from app") as unknown,
  });
});

test("of two events with one id the older is answered first; an event without an id is answered by the empty one", async () => {
  const { stream, deliver } = setUp();
  const [older, newer, nameless] = [deliver("1"), deliver("1"), deliver(5)];
  stream.answer("1", SUCCESS);
  expect(await older).toEqual({ kind: "success" });
  stream.answer("1", RETRY);
  expect(await newer).toMatchObject({ kind: "retry" });
  stream.answer("", SUCCESS);
  expect(await nameless).toEqual({ kind: "success" });
});

test("answers that nobody waits for are told apart", () => {
  const { stream, deliver } = setUp();
  expect(stream.answer("1", SUCCESS)).toBe(false);
  void deliver("1");
  expect(stream.answer("1", SUCCESS)).toBe(true);
  expect(stream.answer("1", SUCCESS)).toBe(false);
});

test("its end leaves everything that waits, and all that comes, to the broker", async () => {
  const { sent, stream, deliver } = setUp();
  const waiting = [deliver("1"), deliver("1"), deliver("2")];
  stream.end();
  for (const delivery of [...waiting, deliver("3")]) {
    await expect(delivery).rejects.toBeInstanceOf(ConsumerGoneError);
  }
  expect(sent).toEqual(["1", "1", "2"]);
  expect(stream.answer("2", SUCCESS)).toBe(false);
});

test("a delivery that is cancelled waits no longer", async () => {
  const { stream } = setUp();
  const cancellation = new Cancellation();
  const delivery = stream.deliver(eventOf("1"), cancellation);
  cancellation.abort(new Error("too late"));
  await expect(delivery).rejects.toThrow("too late");
  expect(stream.answer("1", SUCCESS)).toBe(false);
});

test("an event that cannot be sent fails alone", async () => {
  const stream = new EventStream((event) => {
    if (event.fields["id"] === "bad") {
      throw new Error("unexpected data type encountered in envelope");
    }
  });
  await expect(stream.deliver(eventOf("bad"), NEVER_CANCELLED)).rejects.toThrow("unexpected data type");
  const good = stream.deliver(eventOf("good"), NEVER_CANCELLED);
  expect(stream.answer("bad", SUCCESS)).toBe(false);
  expect(stream.answer("good", SUCCESS)).toBe(true);
  expect(await good).toEqual({ kind: "success" });
});

test("more unanswered events than the limit go back to the broker, until there is room", async () => {
  const { sent, stream, deliver } = setUp();
  for (let count = 0; count < UNANSWERED_EVENTS_MAX; count += 1) {
    void deliver(`${count}`);
  }
  expect(await deliver("one more")).toMatchObject({
    kind: "retry",
    reason: expect.stringContaining("10000 events") as unknown,
  });
  stream.answer("7", SUCCESS);
  void deliver("room again");
  expect(sent).toHaveLength(UNANSWERED_EVENTS_MAX + 1);
});
