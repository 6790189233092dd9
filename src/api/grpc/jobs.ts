import { create } from "@bufbuild/protobuf";
import type { JobsBlock } from "../../blocks/jobs/jobs-block.ts";
import type { ServerCall } from "../../net/grpc/types.ts";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import {
  type DeleteJobRequest,
  DeleteJobResponseSchema,
  DeleteJobsByPrefixResponseAlpha1Schema,
  DeleteJobsByPrefixResponseSchema,
  type GetJobRequest,
  GetJobResponseSchema,
  ListJobsResponseAlpha1Schema,
  ListJobsResponseSchema,
  type ScheduleJobRequest,
  ScheduleJobResponseSchema,
} from "../../wire/gen/dapr/proto/runtime/v1/jobs_pb.js";
import { jobMessage } from "../job-messages.ts";
import type { ServiceHandlers } from "./service.ts";

/* oxlint-disable typescript/no-deprecated -- the twins are deprecated, and what older SDKs call */

type Stable = "scheduleJob" | "getJob" | "listJobs" | "deleteJob" | "deleteJobsByPrefix";

/** The jobs methods of `dapr.proto.runtime.v1.Dapr`, each with the twin that older SDKs call. */
export function jobsHandlers(block: JobsBlock): Pick<ServiceHandlers<typeof Dapr>, Stable | `${Stable}Alpha1`> {
  const schedule = async ({ job, overwrite }: ScheduleJobRequest, call: ServerCall) => {
    await block.schedule({ job, overwrite, trace: call.trace }, call.cancellation);
    return create(ScheduleJobResponseSchema);
  };
  const get = async ({ name }: GetJobRequest, call: ServerCall) =>
    create(GetJobResponseSchema, { job: jobMessage(await block.get(name, call.cancellation)) });
  const remove = async ({ name }: DeleteJobRequest, call: ServerCall) => {
    await block.delete(name, call.cancellation);
    return create(DeleteJobResponseSchema);
  };
  const list = async (call: ServerCall) => (await block.list(call.cancellation)).map(jobMessage);
  return {
    scheduleJob: schedule,
    scheduleJobAlpha1: schedule,
    getJob: get,
    getJobAlpha1: get,
    deleteJob: remove,
    deleteJobAlpha1: remove,
    listJobs: async (_request, call) => create(ListJobsResponseSchema, { jobs: await list(call) }),
    listJobsAlpha1: async (_request, call) => create(ListJobsResponseAlpha1Schema, { jobs: await list(call) }),
    async deleteJobsByPrefix({ namePrefix = "" }, call) {
      await block.deleteByPrefix(namePrefix, call.cancellation);
      return create(DeleteJobsByPrefixResponseSchema);
    },
    async deleteJobsByPrefixAlpha1({ namePrefix = "" }, call) {
      await block.deleteByPrefix(namePrefix, call.cancellation);
      return create(DeleteJobsByPrefixResponseAlpha1Schema);
    },
  };
}
