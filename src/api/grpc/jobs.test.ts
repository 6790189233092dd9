import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { NEVER_CANCELLED } from "../../kit/cancel-signal.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import {
  DeleteJobRequestSchema,
  DeleteJobsByPrefixRequestSchema,
  GetJobRequestSchema,
  ListJobsRequestSchema,
  ScheduleJobRequestSchema,
} from "../../wire/gen/dapr/proto/runtime/v1/jobs_pb.js";
import { testJobs } from "../jobs-block.fixture.ts";
import { jobsHandlers } from "./jobs.ts";

/* oxlint-disable typescript/no-deprecated -- the twins are tested like what they are twins of */

const call = { cancellation: NEVER_CANCELLED } as Partial<ServerCall> as ServerCall;
const job = {
  name: "j",
  schedule: "@daily",
  repeats: 2,
  dueTime: "1s",
  ttl: "9s",
  data: { typeUrl: "t", value: Buffer.from("x") },
  failurePolicy: { policy: { case: "drop", value: {} } },
} as const;

type Handlers = ReturnType<typeof jobsHandlers>;

describe.each([
  [
    "stable",
    (all: Handlers) => ({
      schedule: all.scheduleJob,
      get: all.getJob,
      remove: all.deleteJob,
      list: all.listJobs,
      removeMany: all.deleteJobsByPrefix,
    }),
  ],
  [
    "alpha",
    (all: Handlers) => ({
      schedule: all.scheduleJobAlpha1,
      get: all.getJobAlpha1,
      remove: all.deleteJobAlpha1,
      list: all.listJobsAlpha1 as unknown as Handlers["listJobs"],
      removeMany: all.deleteJobsByPrefixAlpha1 as unknown as Handlers["deleteJobsByPrefix"],
    }),
  ],
])("the %s methods", (_name, choose) => {
  it("keep all fields of a job", async () => {
    const { schedule, get, list } = choose(jobsHandlers(testJobs().block));
    await schedule(create(ScheduleJobRequestSchema, { job }), call);
    expect(await get(create(GetJobRequestSchema, { name: "j" }), call)).toMatchObject({ job });
    expect(await list(create(ListJobsRequestSchema), call)).toMatchObject({ jobs: [job] });
  });

  it("delete one job, or all with a prefix", async () => {
    const { block, jobs } = testJobs();
    const { schedule, remove, removeMany } = choose(jobsHandlers(block));
    for (const name of ["a1", "a2", "b", "c"]) {
      await schedule(create(ScheduleJobRequestSchema, { job: { ...job, name } }), call);
    }
    await remove(create(DeleteJobRequestSchema, { name: "b" }), call);
    await removeMany(create(DeleteJobsByPrefixRequestSchema, { namePrefix: "a" }), call);
    expect([...jobs.keys()]).toEqual(["c"]);
    await removeMany(create(DeleteJobsByPrefixRequestSchema), call);
    expect(jobs.size).toBe(0);
  });

  it("refuse a request without a job", async () => {
    const { schedule } = choose(jobsHandlers(testJobs().block));
    await expect(schedule(create(ScheduleJobRequestSchema), call)).rejects.toThrow("Job is empty");
  });
});
