import { describe, expect, it } from "vitest";
import { TicksCancelledError } from "../../app/actor-host.ts";
import { Cancellation, NEVER_CANCELLED } from "../../kit/cancel-signal.ts";
import { RecordingTracer } from "../../kit/recording-tracer.fixture.ts";
import type {
  SubscribeActorEventsRequestAlpha1,
  SubscribeActorEventsResponseAlpha1,
} from "../../wire/gen/dapr/proto/runtime/v1/actors_pb.js";
import { StreamActorHost } from "./stream-actor-host.ts";

type Event = SubscribeActorEventsResponseAlpha1["responseType"];
type Answer = SubscribeActorEventsRequestAlpha1["requestType"];

const CALL = { method: "m", query: "", headers: ["k", "v"], contentType: "", body: Buffer.from("in") };
const TICK = { kind: "reminder", name: "n", dueTime: "", period: "", callback: "", data: undefined } as const;

function setUp() {
  const events: Event[] = [];
  const host = new StreamActorHost((event) => void events.push(event));
  return { host, events };
}

const invokeAnswer = (id: string, error: boolean): Answer => ({
  case: "invokeResponse",
  value: {
    $typeName: "dapr.proto.runtime.v1.SubscribeActorEventsRequestInvokeResponseAlpha1",
    id,
    data: Buffer.from("out"),
    metadata: { "content-type": "text/plain" },
    error,
  },
});

const failure = (id: string, code: number): Answer => ({
  case: "requestFailed",
  value: { $typeName: "dapr.proto.runtime.v1.SubscribeActorEventsRequestFailedAlpha1", id, code, message: "no" },
});

describe("a call over the stream", () => {
  it.each([false, true])("gets the answer with its id (an error of the actor: %s)", async (error) => {
    const { host, events } = setUp();
    const reply = host.invoke("t", "a", CALL, NEVER_CANCELLED);
    expect(events).toMatchObject([
      { case: "invokeRequest", value: { id: "1", actorType: "t", actorId: "a", method: "m", metadata: { k: "v" } } },
    ]);
    expect(host.answer(invokeAnswer("2", false))).toBe(false);
    expect(host.answer(invokeAnswer("1", error))).toBe(true);
    expect(await reply).toMatchObject({ body: Buffer.from("out"), contentType: "text/plain", isError: error });
  });

  it.each([
    [5, "actor method not found: m"],
    [13, "error from actor service: no"],
  ])("fails with code %i in Dapr's words", async (code, reason) => {
    const { host } = setUp();
    const reply = host.invoke("t", "a", CALL, NEVER_CANCELLED);
    host.answer(failure("1", code));
    await expect(reply).rejects.toThrow(reason);
  });

  it("is given up when it is cancelled, and its answer is nobody's then", async () => {
    const { host } = setUp();
    const cancellation = new Cancellation();
    const reply = host.invoke("t", "a", CALL, cancellation);
    cancellation.abort(new Error("context canceled"));
    await expect(reply).rejects.toThrow("context canceled");
    expect(host.answer(invokeAnswer("1", false))).toBe(false);
  });

  it("fails when the stream ends, and so does every later one", async () => {
    const { host } = setUp();
    const reply = host.invoke("t", "a", CALL, NEVER_CANCELLED);
    host.end();
    await expect(reply).rejects.toThrow("actor host disconnected before responding");
    await expect(host.deactivate("t", "a")).rejects.toThrow("actor host disconnected before responding");
  });
});

it("so many requests may be unanswered, and one more when one of them is answered", async () => {
  const { host, events } = setUp();
  const replies = Array.from({ length: 10_000 }, () => host.invoke("t", "a", CALL, NEVER_CANCELLED));
  await expect(host.invoke("t", "a", CALL, NEVER_CANCELLED)).rejects.toThrow(
    "10000 requests to the actor host are unanswered, which is the limit",
  );
  host.answer(invokeAnswer("1", false));
  await replies[0];
  void host.invoke("t", "a", CALL, NEVER_CANCELLED);
  expect(events).toHaveLength(10_001);
});

it.each([
  ["timer", "timerRequest", "timerResponse"],
  ["reminder", "reminderRequest", "reminderResponse"],
] as const)("a %s goes to the app as such, and is answered as such", async (kind, asked, answered) => {
  const { host, events } = setUp();
  const fired = host.fire("t", "a", { ...TICK, kind }, NEVER_CANCELLED);
  expect(events).toMatchObject([{ case: asked, value: { id: "1", actorType: "t", actorId: "a", name: "n" } }]);
  const $typeName = "dapr.proto.runtime.v1.SubscribeActorEventsRequestReminderResponseAlpha1";
  host.answer({ case: answered, value: { $typeName, id: "1", cancel: false } });
  await fired;
  const odd = host.fire("t", "a", { ...TICK, kind }, NEVER_CANCELLED);
  host.answer(invokeAnswer("2", false));
  await expect(odd).rejects.toThrow(`actor host returned an unexpected response type for ${kind}`);
});

it("ticks are cancelled by the app's answer", async () => {
  const { host } = setUp();
  const fired = host.fire("t", "a", TICK, NEVER_CANCELLED);
  host.answer({
    case: "reminderResponse",
    value: {
      $typeName: "dapr.proto.runtime.v1.SubscribeActorEventsRequestReminderResponseAlpha1",
      id: "1",
      cancel: true,
    },
  });
  await expect(fired).rejects.toThrow(TicksCancelledError);
});

it("the app gets the context of the call's span in place of the caller's", () => {
  const { host, events } = setUp();
  const trace = new RecordingTracer().start("s", 3, undefined);
  void host.invoke("t", "a", { ...CALL, headers: ["k", "v", "Traceparent", "old"], trace }, NEVER_CANCELLED);
  expect(events).toMatchObject([{ value: { metadata: { k: "v", traceparent: trace.traceparent } } }]);
  expect(JSON.stringify(events)).not.toContain("old");
});
