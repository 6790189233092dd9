import { expect, it } from "vitest";
import type { AppChannel } from "../../app/types.ts";
import { GRPC_STATUS, type GrpcStatusCode } from "../../errors/grpc-status.ts";
import { Cancellation } from "../../kit/cancel-signal.ts";
import { RecordingTracer } from "../../kit/recording-tracer.fixture.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { TriggerHandler } from "../../scheduling/types.ts";
import { createJobTriggers } from "./job-triggers.ts";

function setUp(answer: GrpcStatusCode | Error, tracer?: RecordingTracer) {
  const clock = new VirtualClock();
  const served: (TriggerHandler | undefined)[] = [];
  const counted: string[] = [];
  const triggers = createJobTriggers({
    source: { serveApp: async (handler) => void served.push(handler) },
    observer: { triggered: (success, elapsedMs) => void counted.push(`${success} ${elapsedMs}`) },
    tracer,
    clock,
    logger: silentLogger,
  });
  const given: unknown[] = [];
  const channel = {
    async triggerJob(job) {
      given.push(job);
      clock.advance(7);
      if (answer instanceof Error) {
        throw answer;
      }
      return answer;
    },
  } as Partial<AppChannel> as AppChannel;
  return { triggers, channel, served, counted, given };
}

it.each([
  [GRPC_STATUS.OK, true, ["true 7"]],
  [GRPC_STATUS.NOT_FOUND, true, ["false 7"]],
  [GRPC_STATUS.UNKNOWN, false, ["false 7"]],
  [new Error("nobody there"), false, []],
])("an app that answers %s is done with the trigger: %s", async (answer, done, counts) => {
  const { triggers, channel, served, counted, given } = setUp(answer);
  await triggers.start(channel);
  const data = { typeUrl: "t", value: Buffer.from("x") };
  expect(await served[0]?.({ name: "j", target: { kind: "app" }, data }, new Cancellation())).toBe(done);
  expect(given).toEqual([{ name: "j", data }]);
  expect(counted).toEqual(counts);
});

it("none are taken for an app that is not there", async () => {
  const { triggers, channel, served } = setUp(GRPC_STATUS.OK);
  await triggers.start(channel);
  await triggers.stop();
  expect(served[1]).toBe(undefined);
});

it.each([
  [GRPC_STATUS.OK, undefined],
  [GRPC_STATUS.UNKNOWN, "the app did not take the trigger"],
])("a trigger that is answered with %s has a span, and the app its context", async (answer, failure) => {
  const tracer = new RecordingTracer();
  const { triggers, channel, served, given } = setUp(answer, tracer);
  await triggers.start(channel);
  await served[0]?.({ name: "report", target: { kind: "app" }, data: undefined }, new Cancellation());
  expect(tracer.spans).toMatchObject([{ name: "jobs/report", kind: 3, parent: undefined, failure, ended: 1 }]);
  expect(given).toMatchObject([{ trace: { traceparent: tracer.spans[0]?.traceparent } }]);
});
