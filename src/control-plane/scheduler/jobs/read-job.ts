import { create } from "@bufbuild/protobuf";
import { type JobFailurePolicy, JobFailurePolicySchema } from "../../../wire/gen/dapr/proto/common/v1/common_pb.js";
import { decodeJobMetadata } from "../../../wire/codecs/job-parts.ts";
import { decodeStoredCounter, decodeStoredJob, encodeStoredCounter } from "../../../wire/codecs/stored-job-codecs.ts";
import { type Job, type JobMetadata, JobSchema } from "../../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import type { FailurePolicy, JobSpec, StoredJob } from "../../../wire/gen/cron/stored_pb.js";
import { errorMessage } from "../../../kit/error-message.ts";
import { JobError } from "./job-error.ts";
import { checkJobName, type JobTarget, namePrefix, targetOf } from "./job-name.ts";
import { type FailureRule, type JobTimes, NO_PROGRESS, type Progress } from "./job-times.ts";
import type { ScheduleCache } from "./schedule-cache.ts";
import { durationMs, msOf, timestampOf } from "./stored-times.ts";

/** How the type of a stored job's metadata ends; what is before it is for nobody to look at. */
const METADATA_TYPE = "/dapr.proto.scheduler.v1.JobMetadata";

/** What the scheduler must know of a job to trigger it; the payload stays in the store. */
export interface JobPlan {
  readonly partitionId: bigint;
  readonly target: JobTarget;
  readonly namespace: string;
  /** The actor's type, or undefined for an app's job. */
  readonly actorType: string | undefined;
  readonly concurrencyKey: string | undefined;
  readonly times: JobTimes;
  readonly rule: FailureRule;
}

/** A stored job as it is delivered. */
export interface JobContent {
  /** The name its owner gave it. */
  readonly name: string;
  readonly metadata: JobMetadata;
  readonly spec: JobSpec;
}

/** Reads what is stored under a job's full name, whoever wrote it. @throws JobError when it could not be triggered */
export function readPlan(fullName: string, value: Uint8Array, schedules: ScheduleCache): JobPlan {
  const stored = decode(value);
  const { metadata, spec } = contentOf(fullName, stored);
  const target = metadata.target?.type;
  return {
    partitionId: stored.partitionId,
    target: targetOf(metadata),
    namespace: metadata.namespace,
    actorType: target?.case === "actor" ? target.value.type : undefined,
    concurrencyKey: metadata.concurrencyKey,
    times: timesOf(stored, spec, schedules),
    rule: ruleOf(spec.failurePolicy),
  };
}

/** @throws JobError */
export function readContent(fullName: string, value: Uint8Array): JobContent {
  return contentOf(fullName, decode(value));
}

/** Only what was asked for, whatever the metadata says. @throws JobError */
export function readSpec(value: Uint8Array): JobSpec {
  const { job } = decode(value);
  if (job === undefined) {
    throw new JobError("unknown", "the stored job is empty");
  }
  return job;
}

function decode(value: Uint8Array): StoredJob {
  try {
    return decodeStoredJob(value);
  } catch (cause) {
    throw new JobError("unknown", `failed to unmarshal job: ${errorMessage(cause)}`, { cause });
  }
}

/** The name is what remains of the full one behind what the metadata says, so that it may contain the separator itself. */
function contentOf(fullName: string, { job: spec }: StoredJob): JobContent {
  checkJobName(fullName);
  if (spec?.metadata === undefined) {
    throw new JobError("unknown", "the stored job has no metadata");
  }
  const { typeUrl, value } = spec.metadata;
  if (!typeUrl.endsWith(METADATA_TYPE)) {
    throw new JobError("unknown", `the job's metadata is a ${typeUrl}`);
  }
  let metadata: JobMetadata;
  try {
    metadata = decodeJobMetadata(value);
  } catch (cause) {
    throw new JobError("unknown", `failed to unmarshal job metadata: ${errorMessage(cause)}`, { cause });
  }
  const prefix = namePrefix(metadata);
  if (!fullName.startsWith(prefix)) {
    throw new JobError("unknown", `key "${fullName}" does not match expected prefix "${prefix}" from its metadata`);
  }
  return { name: fullName.slice(prefix.length), metadata, spec };
}

function timesOf({ begin, expiration }: StoredJob, spec: JobSpec, schedules: ScheduleCache): JobTimes {
  const dueMs = begin.case === "dueTime" ? msOf(begin.value) : undefined;
  const startMs = begin.case === "start" ? msOf(begin.value) : 0;
  if (spec.schedule === undefined && dueMs === undefined) {
    throw new JobError("unknown", "job must have either a due time or a schedule");
  }
  const cron = spec.schedule === undefined ? undefined : schedules.get(spec.schedule);
  if (cron !== undefined && cron.next(dueMs ?? startMs) === undefined) {
    throw new JobError("unknown", `the schedule ${spec.schedule} is never due`);
  }
  return {
    cron,
    dueMs,
    startMs,
    repeats: spec.repeats,
    expirationMs: expiration === undefined ? undefined : msOf(expiration),
  };
}

/** A stored job without a policy is dropped when it fails; the scheduler itself writes one into every job. */
function ruleOf(failurePolicy: FailurePolicy | undefined): FailureRule {
  const policy = failurePolicy?.policy;
  if (policy?.case !== "constant") {
    return { kind: "drop" };
  }
  const { interval, maxRetries } = policy.value;
  return { kind: "retry", intervalMs: Math.max(0, durationMs(interval)), retriesMax: maxRetries };
}

/** What the API answers for a stored job. */
export function apiJob({ schedule, dueTime, ttl, repeats, payload, failurePolicy }: JobSpec): Job {
  const policy = apiPolicy(failurePolicy);
  return create(JobSchema, {
    ...(schedule === undefined ? {} : { schedule }),
    ...(dueTime === undefined ? {} : { dueTime }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(repeats === undefined ? {} : { repeats }),
    ...(payload === undefined ? {} : { data: payload }),
    ...(policy === undefined ? {} : { failurePolicy: policy }),
  });
}

function apiPolicy(failurePolicy: FailurePolicy | undefined): JobFailurePolicy | undefined {
  const policy = failurePolicy?.policy;
  switch (policy?.case) {
    case "drop":
      return create(JobFailurePolicySchema, { policy: { case: "drop", value: {} } });
    case "constant": {
      const { interval, maxRetries } = policy.value;
      return create(JobFailurePolicySchema, {
        policy: {
          case: "constant",
          value: {
            ...(interval === undefined ? {} : { interval }),
            ...(maxRetries === undefined ? {} : { maxRetries }),
          },
        },
      });
    }
    default:
      return undefined;
  }
}

/** How far a job has come by its stored counter; one that belongs to an earlier job of the name, or is none, says nothing. */
export function readProgress(value: Uint8Array | undefined, partitionId: bigint): Progress {
  if (value === undefined) {
    return NO_PROGRESS;
  }
  try {
    const { jobPartitionId, count, lastTrigger, attempts } = decodeStoredCounter(value);
    if (jobPartitionId !== partitionId) {
      return NO_PROGRESS;
    }
    return { count, lastMs: lastTrigger === undefined ? undefined : msOf(lastTrigger), attempts };
  } catch {
    return NO_PROGRESS;
  }
}

/** The stored form of it. */
export function storedProgress({ count, lastMs, attempts }: Progress, partitionId: bigint): Uint8Array {
  return encodeStoredCounter({
    $typeName: "cron.StoredCounter",
    jobPartitionId: partitionId,
    count,
    lastTrigger: lastMs === undefined ? undefined : timestampOf(lastMs),
    attempts,
  });
}
