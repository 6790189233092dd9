import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import type { CancelSignal } from "../kit/cancel-signal.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { WatchJobsRequestSchema } from "../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { JobStream } from "./job-stream.ts";
import { DRAIN_TIMEOUT_MS, TRIGGERS_PER_STREAM_MAX } from "./limits.ts";
import { calmRandom, FakeScheduler, resultsOf, settle, triggerMessage, unreachable } from "./scheduling.fixture.ts";
import type { Trigger } from "./types.ts";

const initial = create(WatchJobsRequestSchema, {
  watchJobRequestType: { case: "initial", value: { appId: "app", namespace: "ns" } },
});

function setUp() {
  const client = new FakeScheduler();
  const clock = new VirtualClock();
  const handled: {
    readonly trigger: Trigger;
    readonly signal: CancelSignal;
    readonly done: (success: boolean) => void;
    readonly fail: (error: Error) => void;
  }[] = [];
  const stream = new JobStream({
    client,
    initial,
    handle: (trigger, signal) => new Promise((done, fail) => void handled.push({ trigger, signal, done, fail })),
    clock,
    random: calmRandom,
    logger: silentLogger,
  });
  stream.start();
  return { client, clock, handled, stream };
}

it("says what it takes, and answers triggers as they are done", async () => {
  const { client, handled } = setUp();
  const wire = client.lastStream;
  wire.push(triggerMessage(1, { data: { typeUrl: "t", value: Buffer.from("x") } }));
  wire.push(triggerMessage(2));
  await settle();
  expect(wire.sent).toEqual([initial]);
  expect(handled.map(({ trigger }) => trigger)).toMatchObject([
    { name: "job-1", target: { kind: "app" }, data: { typeUrl: "t", value: Buffer.from("x") } },
    { name: "job-2", target: { kind: "app" }, data: undefined },
  ]);
  handled[1]?.done(false);
  await settle();
  handled[0]?.done(true);
  await settle();
  expect(resultsOf(wire)).toEqual(["2 FAILED", "1 SUCCESS"]);
});

it("knows the reminders of actors, and fails targets that it does not know", async () => {
  const { client, handled } = setUp();
  const actor = { case: "actor", value: { type: "T", id: "i" } } as const;
  client.lastStream.push(triggerMessage(1, { metadata: { target: { type: actor } } }));
  client.lastStream.push(triggerMessage(2, { metadata: {} }));
  await settle();
  expect(handled.map(({ trigger }) => trigger.target)).toEqual([{ kind: "actor", type: "T", id: "i" }]);
  expect(resultsOf(client.lastStream)).toEqual(["2 FAILED"]);
});

it("fails the trigger of a handler that breaks", async () => {
  const { client, handled } = setUp();
  client.lastStream.push(triggerMessage(1));
  await settle();
  handled[0]?.fail(new Error("a bug"));
  await settle();
  expect(resultsOf(client.lastStream)).toEqual(["1 FAILED"]);
});

it("when stopped, answers what is under way and leaves what comes then to other streams", async () => {
  const { client, handled, stream } = setUp();
  const wire = client.lastStream;
  wire.push(triggerMessage(1));
  await settle();
  const stopped = stream.stop();
  wire.push(triggerMessage(2));
  await settle();
  expect(wire.closed).toBe(false);
  handled[0]?.done(true);
  await stopped;
  expect(handled.length).toBe(1);
  expect(resultsOf(wire)).toEqual(["1 SUCCESS"]);
  expect(wire).toMatchObject({ closed: true, cancelled: false });
});

it("when stopped, cancels in the end what does not come to one, without a word to the scheduler", async () => {
  const { client, clock, handled, stream } = setUp();
  client.lastStream.push(triggerMessage(1));
  await settle();
  const stopped = stream.stop();
  await settle();
  clock.advance(DRAIN_TIMEOUT_MS);
  expect(handled[0]?.signal.aborted).toBe(true);
  handled[0]?.done(false);
  await stopped;
  expect(resultsOf(client.lastStream)).toEqual([]);
});

it("when stopped with nothing on it, is cut at once", async () => {
  const { client, stream } = setUp();
  await stream.stop();
  expect(client.lastStream.cancelled).toBe(true);
  expect(client.streams.length).toBe(1);
});

it("comes back when it is lost, later with each failure in a row", async () => {
  const { client, clock, stream } = setUp();
  for (const [failures, delayMs] of [500, 1_000, 2_000, 4_000, 4_000].entries()) {
    client.lastStream.end(unreachable());
    await settle();
    clock.advance(delayMs - 1);
    await settle();
    expect(client.streams.length).toBe(failures + 1);
    clock.advance(1);
    await settle();
    expect(client.streams.length).toBe(failures + 2);
  }
  clock.advance(5_000);
  client.lastStream.end();
  await settle();
  clock.advance(500);
  await settle();
  expect(client.streams.length).toBe(7);
  await stream.stop();
});

it("does not take more than its limit at once", async () => {
  const { client, handled } = setUp();
  for (let id = 0; id <= TRIGGERS_PER_STREAM_MAX; id += 1) {
    client.lastStream.push(triggerMessage(id));
  }
  for (let turn = 0; turn < TRIGGERS_PER_STREAM_MAX; turn += 1) {
    await settle();
  }
  expect(handled.length).toBe(TRIGGERS_PER_STREAM_MAX);
  handled[0]?.done(true);
  await settle();
  expect(handled.length).toBe(TRIGGERS_PER_STREAM_MAX + 1);
});

it("when stopped while it is full, ends when all have been answered", async () => {
  const { client, handled, stream } = setUp();
  for (let id = 0; id < TRIGGERS_PER_STREAM_MAX; id += 1) {
    client.lastStream.push(triggerMessage(id));
  }
  for (let turn = 0; turn < TRIGGERS_PER_STREAM_MAX; turn += 1) {
    await settle();
  }
  const stopped = stream.stop();
  for (const { done } of handled) {
    done(true);
  }
  await stopped;
  expect(resultsOf(client.lastStream).length).toBe(TRIGGERS_PER_STREAM_MAX);
});
