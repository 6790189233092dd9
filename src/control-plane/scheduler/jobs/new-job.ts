import type { Duration } from "@bufbuild/protobuf/wkt";
import type { Random } from "../../../kit/random.ts";
import type { JobFailurePolicy } from "../../../wire/gen/dapr/proto/common/v1/common_pb.js";
import { encodeJobMetadata } from "../../../wire/codecs/job-parts.ts";
import { encodeStoredJob } from "../../../wire/codecs/stored-job-codecs.ts";
import type { Job, JobMetadata } from "../../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import type { FailurePolicy, StoredJob } from "../../../wire/gen/cron/stored_pb.js";
import { JOB_BYTES_MAX } from "../limits.ts";
import { JobError } from "./job-error.ts";
import { pointInTime } from "./point-in-time.ts";
import type { ScheduleCache } from "./schedule-cache.ts";
import { timestampOf } from "./stored-times.ts";

/** Without a policy of its own a job is tried again three times, a second apart. */
const DEFAULT_POLICY = {
  interval: { $typeName: "google.protobuf.Duration", seconds: 1n, nanos: 0 } as Duration,
  maxRetries: 3,
};

const METADATA_TYPE = "type.googleapis.com/dapr.proto.scheduler.v1.JobMetadata";

/** What making a job depends on. */
export interface JobFactory {
  readonly random: Random;
  readonly schedules: ScheduleCache;
  /** Now, in milliseconds since 1970. */
  now(): number;
}

/** The stored form of a job that was asked for, encoded. @throws JobError with go-etcd-cron's words for what is wrong */
export function newStoredJob(job: Job | undefined, metadata: JobMetadata, factory: JobFactory): Uint8Array {
  if (job === undefined) {
    throw new JobError("unknown", "job cannot be nil");
  }
  let stored: StoredJob;
  try {
    stored = validated(job, metadata, factory);
  } catch (error) {
    if (error instanceof JobError) {
      throw new JobError(error.kind, `job failed validation: ${error.message}`, { cause: error });
    }
    throw error;
  }
  const bytes = encodeStoredJob(stored);
  if (bytes.length > JOB_BYTES_MAX) {
    throw new JobError(
      "limit",
      `the job has ${bytes.length} bytes, and a scheduler stores at most ${JOB_BYTES_MAX}: keep large data in a state store`,
    );
  }
  return bytes;
}

function validated(job: Job, metadata: JobMetadata, factory: JobFactory): StoredJob {
  checkFields(job);
  const nowMs = factory.now();
  const dueMs = job.dueTime === undefined ? undefined : point(job.dueTime, nowMs);
  if (job.schedule !== undefined) {
    checkSchedule(job.schedule, dueMs ?? nowMs, factory.schedules);
  }
  const { schedule, dueTime, ttl, repeats, data: payload } = job;
  return {
    $typeName: "cron.StoredJob",
    partitionId: randomUint64(factory.random),
    begin:
      dueMs === undefined
        ? { case: "start", value: timestampOf(nowMs) }
        : { case: "dueTime", value: timestampOf(dueMs) },
    expiration: ttl === undefined ? undefined : timestampOf(expiration(ttl, nowMs, dueMs)),
    job: {
      $typeName: "cron.JobSpec",
      schedule,
      dueTime,
      ttl,
      repeats,
      metadata: { $typeName: "google.protobuf.Any", typeUrl: METADATA_TYPE, value: encodeJobMetadata(metadata) },
      payload,
      failurePolicy: storedPolicy(job.failurePolicy),
    },
  };
}

function checkFields({ schedule, dueTime, repeats, ttl }: Job): void {
  if (dueTime === undefined && schedule === undefined) {
    throw new JobError("unknown", "job must have either a due time or a schedule");
  }
  if (schedule === undefined && (repeats ?? 0) > 1) {
    throw new JobError("unknown", "job must have a schedule to repeat");
  }
  if (repeats !== undefined && repeats < 1) {
    throw new JobError("unknown", "defined repeats must be greater than 0");
  }
  if (schedule === undefined && ttl !== undefined) {
    throw new JobError("unknown", "job must have a schedule to have a ttl");
  }
}

/** A schedule that is never due (30 February) is refused: Dapr takes it and triggers it without end. */
function checkSchedule(text: string, fromMs: number, schedules: ScheduleCache): void {
  if (schedules.get(text).next(fromMs) === undefined) {
    throw new JobError("unknown", `the schedule ${text} is never due`);
  }
}

function point(text: string, fromMs: number): number {
  const at = pointInTime(text, fromMs);
  if (typeof at === "string") {
    throw new JobError("unknown", at);
  }
  return at;
}

function expiration(ttl: string, nowMs: number, dueMs: number | undefined): number {
  const at = pointInTime(ttl, dueMs ?? nowMs);
  if (typeof at === "string") {
    throw new JobError("unknown", "ttl format not recognized");
  }
  if (dueMs !== undefined && dueMs > at) {
    throw new JobError("unknown", "ttl must be greater than due time");
  }
  return at;
}

function storedPolicy(given: JobFailurePolicy | undefined): FailurePolicy {
  const policy = given?.policy;
  if (policy?.case === "drop") {
    return {
      $typeName: "cron.FailurePolicy",
      policy: { case: "drop", value: { $typeName: "cron.FailurePolicyDrop" } },
    };
  }
  const { interval, maxRetries } = policy?.case === "constant" ? policy.value : DEFAULT_POLICY;
  return {
    $typeName: "cron.FailurePolicy",
    policy: { case: "constant", value: { $typeName: "cron.FailurePolicyConstant", interval, maxRetries } },
  };
}

function randomUint64(random: Random): bigint {
  const bytes = random.bytes(8);
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
}
