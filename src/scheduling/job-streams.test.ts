import { expect, it } from "vitest";
import { silentLogger } from "../kit/silent-logger.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { JobTargetType, type WatchJobsRequest } from "../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { JobStreams } from "./job-streams.ts";
import { calmRandom, FakeScheduler, resultsOf, settle, triggerMessage } from "./scheduling.fixture.ts";

function setUp() {
  const a = new FakeScheduler();
  const b = new FakeScheduler();
  const streams = new JobStreams({
    appId: "app",
    namespace: "ns",
    streamsPerHost: 2,
    clock: new VirtualClock(),
    random: calmRandom,
    logger: silentLogger,
  });
  return { a, b, streams };
}

const succeed = (): Promise<boolean> => Promise.resolve(true);

function initialOf(scheduler: FakeScheduler): unknown {
  return (scheduler.lastStream.sent[0] as WatchJobsRequest).watchJobRequestType.value;
}

it("there are none while nobody handles triggers", async () => {
  const { a, streams } = setUp();
  void streams.follow(new Map([["a", a]]));
  expect(a.streams).toEqual([]);
  await streams.serveApp(succeed);
  expect(a.streams.length).toBe(2);
  expect(initialOf(a)).toMatchObject({ appId: "app", namespace: "ns", acceptJobTypes: [JobTargetType.JOB] });
  await streams.serveApp(undefined);
  expect(a.streams.every((stream) => stream.cancelled)).toBe(true);
  expect(a.streams.length).toBe(2);
});

it("new ones say that actors are taken too, and go to who handles them", async () => {
  const { a, streams } = setUp();
  void streams.follow(new Map([["a", a]]));
  await streams.serveApp(succeed);
  await streams.serveActors(["T2", "T1"], () => Promise.resolve(false));
  expect(initialOf(a)).toMatchObject({
    acceptJobTypes: [JobTargetType.JOB, JobTargetType.ACTOR_REMINDER],
    actorTypes: ["T1", "T2"],
  });
  const actor = { case: "actor", value: { type: "T1", id: "i" } } as const;
  a.lastStream.push(triggerMessage(1, { metadata: { target: { type: actor } } }));
  a.lastStream.push(triggerMessage(2));
  await settle();
  expect(resultsOf(a.lastStream).toSorted()).toEqual(["1 FAILED", "2 SUCCESS"]);
  await streams.serveActors(["T1", "T2"], succeed);
  expect(a.streams.length).toBe(4);
});

it("those from schedulers that stay are not touched when others come and go", async () => {
  const { a, b, streams } = setUp();
  await streams.serveApp(succeed);
  void streams.follow(new Map([["a", a]]));
  void streams.follow(
    new Map([
      ["a", a],
      ["b", b],
    ]),
  );
  expect([a.streams.length, b.streams.length]).toEqual([2, 2]);
  await streams.follow(new Map([["b", b]]));
  expect(a.streams.every((stream) => stream.cancelled)).toBe(true);
  expect(b.streams.some((stream) => stream.cancelled)).toBe(false);
});

it("after closing none are opened any more", async () => {
  const { a, streams } = setUp();
  await streams.serveApp(succeed);
  await streams.close();
  void streams.follow(new Map([["a", a]]));
  expect(a.streams).toEqual([]);
});
