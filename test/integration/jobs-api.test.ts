import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import {
  DeleteJobsByPrefixRequestSchema,
  GetJobRequestSchema,
  ListJobsRequestSchema,
  ScheduleJobRequestSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/jobs_pb.js";
import { daprMethods } from "../harness/grpc-caller.ts";
import { startSchedulerDouble } from "../harness/scheduler-double.ts";
import { startTestSidecar } from "../harness/test-sidecar.ts";

it("jobs of either door reach the scheduler as those of this app", async () => {
  await using scheduler = await startSchedulerDouble();
  await using sidecar = await startTestSidecar({ scheduler: { addresses: [scheduler.address], jobStreams: 1 } });
  const body = '{"schedule":"@daily","data":{"a":1}}';
  expect((await sidecar.fetch("/v1.0/jobs/over-http", { method: "POST", body })).status).toBe(204);
  const data = { typeUrl: "my.Type", value: Buffer.from("x") };
  const request = create(ScheduleJobRequestSchema, { job: { name: "over-grpc", dueTime: "1h", data } });
  await sidecar.grpc.call(daprMethods.scheduleJob, request);
  expect(scheduler.jobs.get("over-http")).toMatchObject({
    job: { schedule: "@daily", data: { typeUrl: "type.googleapis.com/google.protobuf.Value" } },
    metadata: { appId: "test-app", namespace: "default", target: { type: { case: "job" } } },
  });
  expect(scheduler.jobs.get("over-grpc")?.job).toMatchObject({ dueTime: "1h", data });
  const listed = await sidecar.grpc.call(daprMethods.listJobs, create(ListJobsRequestSchema));
  expect(listed.jobs.map(({ name }) => name)).toEqual(["over-http", "over-grpc"]);
  const read = await sidecar.fetch("/v1.0-alpha1/jobs/over-http");
  expect(await read.json()).toEqual({
    name: "over-http",
    schedule: "@daily",
    data: { "@type": "type.googleapis.com/google.protobuf.Value", value: { a: 1 } },
  });
  const prefix = create(DeleteJobsByPrefixRequestSchema, { namePrefix: "over-" });
  await sidecar.grpc.call(daprMethods.deleteJobsByPrefix, prefix);
  expect(scheduler.jobs.size).toBe(0);
});

it("a job that is there already is overwritten only when asked to", async () => {
  await using scheduler = await startSchedulerDouble();
  await using sidecar = await startTestSidecar({ scheduler: { addresses: [scheduler.address], jobStreams: 1 } });
  const schedule = (overwrite: boolean): Promise<Response> =>
    sidecar.fetch("/v1.0/jobs/j", { method: "POST", body: JSON.stringify({ schedule: "@daily", overwrite }) });
  expect((await schedule(false)).status).toBe(204);
  const refused = await schedule(false);
  expect(refused.status).toBe(409);
  expect(await refused.json()).toMatchObject({
    errorCode: "DAPR_SCHEDULER_SCHEDULE_JOB",
    message: "failed to schedule job due to: rpc error: code = AlreadyExists desc = job already exists: j",
    details: [{ reason: "DAPR_SCHEDULER_SCHEDULE_JOB", metadata: { appID: "test-app", namespace: "default" } }],
  });
  expect((await schedule(true)).status).toBe(204);
});

it("without a scheduler there are no jobs, and all else works", async () => {
  await using sidecar = await startTestSidecar();
  expect(sidecar.logger.said("Scheduler disabled")).toBe(true);
  const refused = await sidecar.fetch("/v1.0/jobs/j", { method: "POST", body: '{"schedule":"@daily"}' });
  expect(refused.status).toBe(500);
  expect(await refused.json()).toMatchObject({
    message: "failed to schedule job due to: scheduler clients are disabled",
  });
  const failure = await sidecar.grpc.failure(daprMethods.getJob, create(GetJobRequestSchema, { name: "j" }));
  expect(failure).toMatchObject({ code: 13, message: "failed to get job due to: scheduler clients are disabled" });
  expect(await (await sidecar.fetch("/v1.0/metadata")).json()).not.toHaveProperty("scheduler");
  expect((await sidecar.fetch("/v1.0/healthz")).status).toBe(204);
});
