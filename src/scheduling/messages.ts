import type {
  Job,
  JobMetadata,
  TargetActorReminder,
  WatchJobsResponse,
} from "../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import type { JobSpec, JobTarget, Trigger } from "./types.ts";

/** Whose jobs a sidecar's are. */
export interface JobOwner {
  readonly appId: string;
  /** Never empty. */
  readonly namespace: string;
}

export function jobMetadata({ appId, namespace }: JobOwner, target: JobTarget): JobMetadata {
  return {
    $typeName: "dapr.proto.scheduler.v1.JobMetadata",
    appId,
    namespace,
    target: {
      $typeName: "dapr.proto.scheduler.v1.JobTargetMetadata",
      type:
        target.kind === "app"
          ? { case: "job", value: { $typeName: "dapr.proto.scheduler.v1.TargetJob" } }
          : { case: "actor", value: actorTarget(target) },
    },
    concurrencyKey: undefined,
  };
}

function actorTarget({ type, id }: JobTarget & { readonly kind: "actor" }): TargetActorReminder {
  return { $typeName: "dapr.proto.scheduler.v1.TargetActorReminder", id, type };
}

export function jobMessage({ schedule, repeats, dueTime, ttl, data, failurePolicy }: JobSpec): Job {
  return {
    $typeName: "dapr.proto.scheduler.v1.Job",
    schedule,
    repeats,
    dueTime,
    ttl,
    data: data === undefined ? undefined : { $typeName: "google.protobuf.Any", ...data },
    failurePolicy,
  };
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
