import { create } from "@bufbuild/protobuf";
import {
  type Job,
  JobMetadataSchema,
  type JobMetadata,
  JobSchema,
  type WatchJobsResponse,
} from "../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import type { JobSpec, JobTarget, Trigger } from "./types.ts";

/** Whose jobs a sidecar's are. */
export interface JobOwner {
  readonly appId: string;
  /** Never empty. */
  readonly namespace: string;
}

export function jobMetadata({ appId, namespace }: JobOwner, target: JobTarget): JobMetadata {
  return create(JobMetadataSchema, {
    appId,
    namespace,
    target: {
      type:
        target.kind === "app"
          ? { case: "job", value: {} }
          : { case: "actor", value: { type: target.type, id: target.id } },
    },
  });
}

export function jobMessage({ schedule, repeats, dueTime, ttl, data, failurePolicy }: JobSpec): Job {
  return create(JobSchema, {
    ...(schedule === undefined ? {} : { schedule }),
    ...(repeats === undefined ? {} : { repeats }),
    ...(dueTime === undefined ? {} : { dueTime }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(data === undefined ? {} : { data }),
    ...(failurePolicy === undefined ? {} : { failurePolicy }),
  });
}

export function specOf(job: Job | undefined): JobSpec {
  return job === undefined
    ? {}
    : {
        schedule: job.schedule,
        repeats: job.repeats,
        dueTime: job.dueTime,
        ttl: job.ttl,
        data: job.data,
        failurePolicy: job.failurePolicy,
      };
}

/** Undefined for a target of a kind that this release does not know. */
export function triggerOf({ name, data, metadata }: WatchJobsResponse): Trigger | undefined {
  const type = metadata?.target?.type;
  switch (type?.case) {
    case "job":
      return { name, data, target: { kind: "app" } };
    case "actor":
      return { name, data, target: { kind: "actor", type: type.value.type, id: type.value.id } };
    default:
      return undefined;
  }
}
