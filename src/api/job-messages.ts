import { create } from "@bufbuild/protobuf";
import type { NamedJob } from "../scheduling/types.ts";
import { type Job, JobSchema } from "../wire/gen/dapr/proto/runtime/v1/jobs_pb.js";

/** A job as callers of either door know it. */
export function jobMessage({ name, schedule, repeats, dueTime, ttl, data, failurePolicy }: NamedJob): Job {
  return create(JobSchema, {
    name,
    ...(schedule === undefined ? {} : { schedule }),
    ...(repeats === undefined ? {} : { repeats }),
    ...(dueTime === undefined ? {} : { dueTime }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(data === undefined ? {} : { data: { typeUrl: data.typeUrl, value: data.value } }),
    ...(failurePolicy === undefined ? {} : { failurePolicy }),
  });
}
