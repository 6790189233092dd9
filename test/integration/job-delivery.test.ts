import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  type JobEventRequest,
  JobEventResponseSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import { ScheduleJobRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/jobs_pb.js";
import { startGrpcApp } from "../harness/grpc-app.ts";
import { daprMethods } from "../harness/grpc-caller.ts";
import { type Folder, temporaryFolder } from "../harness/resources.ts";
import { SchedulerProgram, schedulerPorts } from "../harness/scheduler-program.ts";
import { startTestApp } from "../harness/test-app.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";
import { until } from "../harness/until.ts";

let folder: Folder;
let scheduler: SchedulerProgram;

beforeAll(async () => {
  folder = await temporaryFolder();
  scheduler = await new SchedulerProgram(folder.path, await schedulerPorts()).ready();
});
afterAll(async () => {
  await scheduler[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const settings = () => ({ scheduler: { addresses: [`127.0.0.1:${scheduler.ports.api}`], jobStreams: 1 } });

it("an HTTP app gets its jobs when they are due, as often as they say, and again where they failed", async () => {
  let refusals = 2;
  await using app = await startTestApp({
    answer: ({ url }) => (url === "/job/refused" && refusals-- > 0 ? { status: 500 } : undefined),
  });
  await using sidecar = await startTestSidecar({ ...settings(), appId: "http-app", appPort: app.port });
  const schedule = async (name: string, job: unknown): Promise<void> => {
    const reply = await sidecar.fetch(`/v1.0/jobs/${name}`, { method: "POST", body: JSON.stringify(job) });
    expect([reply.status, await reply.text()]).toEqual([204, ""]);
  };
  await schedule("once", { dueTime: "0s", data: { a: 1 } });
  await schedule("twice", { schedule: "@every 1s", repeats: 2, dueTime: "0s" });
  await schedule("refused", { dueTime: "0s", failurePolicy: { constant: { interval: "0.05s", maxRetries: 5 } } });
  const isGone = async (name: string): Promise<boolean> =>
    (await (await sidecar.fetch(`/v1.0/jobs/${name}`)).text()).includes("job not found");
  for (const name of ["once", "twice", "refused"]) {
    await until(`${name} is done`, () => isGone(name));
  }
  const counts = ["once", "twice", "refused"].map((name) => app.at(`/job/${name}`).length);
  expect([counts, app.at("/job/once")[0]?.body]).toEqual([[1, 2, 3], '{"a":1}']);
});

it("a gRPC app gets its jobs, and those that were due while it was away", async () => {
  const data = { typeUrl: "my.Type", value: Buffer.from("x") };
  const schedule = (name: string) => create(ScheduleJobRequestSchema, { job: { name, dueTime: "0s", data } });
  {
    await using away = await startTestSidecar({ ...settings(), appId: "grpc-app" });
    await away.grpc.call(daprMethods.scheduleJob, schedule("staged"));
  }
  const events: JobEventRequest[] = [];
  await using app = await startGrpcApp({
    onJobEvent(request) {
      events.push(request);
      return create(JobEventResponseSchema);
    },
  });
  await using sidecar = await startTestSidecar({
    ...settings(),
    appId: "grpc-app",
    appPort: app.port,
    appProtocol: "grpc",
  });
  await until("the one that was due has come", () => events.length === 1);
  await sidecar.grpc.call(daprMethods.scheduleJob, schedule("now"));
  await until("both have come", () => events.length === 2);
  expect(events).toMatchObject([
    { name: "staged", method: "job/staged", data },
    { name: "now", method: "job/now", data },
  ]);
});
