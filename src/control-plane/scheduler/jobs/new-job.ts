import { create, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack, TimestampSchema } from "@bufbuild/protobuf/wkt";
import type { Random } from "../../../kit/random.ts";
import type { JobFailurePolicy } from "../../../wire/gen/dapr/proto/common/v1/common_pb.js";
import {
  type Job,
  type JobMetadata,
  JobMetadataSchema,
} from "../../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import {
  FailurePolicySchema,
  type FailurePolicy,
  JobSpecSchema,
  type StoredJob,
  StoredJobSchema,
} from "../../../wire/gen/cron/stored_pb.js";
import { JOB_BYTES_MAX } from "../limits.ts";
import { JobError } from "./job-error.ts";
import { pointInTime } from "./point-in-time.ts";
import type { ScheduleCache } from "./schedule-cache.ts";
import { timestampOf } from "./stored-times.ts";

/** Without a policy of its own a job is tried again three times, a second apart. */
const DEFAULT_POLICY = { intervalS: 1n, retriesMax: 3 } as const;

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
  const bytes = toBinary(StoredJobSchema, stored);
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
  const stored = create(StoredJobSchema, {
    partitionId: randomUint64(factory.random),
    begin:
      dueMs === undefined
        ? { case: "start", value: create(TimestampSchema, timestampOf(nowMs)) }
        : { case: "dueTime", value: create(TimestampSchema, timestampOf(dueMs)) },
    job: create(JobSpecSchema, {
      metadata: anyPack(JobMetadataSchema, metadata),
      failurePolicy: storedPolicy(job.failurePolicy),
      ...present(job),
    }),
  });
  if (job.ttl !== undefined) {
    stored.expiration = create(TimestampSchema, timestampOf(expiration(job.ttl, nowMs, dueMs)));
  }
  return stored;
}

/** Optional fields that are not there must not be named. */
function present({ schedule, dueTime, ttl, repeats, data }: Job): {
  schedule?: string;
  dueTime?: string;
  ttl?: string;
  repeats?: number;
  payload?: Any;
} {
  return {
    ...(schedule === undefined ? {} : { schedule }),
    ...(dueTime === undefined ? {} : { dueTime }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(repeats === undefined ? {} : { repeats }),
    ...(data === undefined ? {} : { payload: data }),
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
    return create(FailurePolicySchema, { policy: { case: "drop", value: {} } });
  }
  if (policy?.case === "constant") {
    const { interval, maxRetries } = policy.value;
    return create(FailurePolicySchema, {
      policy: {
        case: "constant",
        value: {
          ...(interval === undefined ? {} : { interval }),
          ...(maxRetries === undefined ? {} : { maxRetries }),
        },
      },
    });
  }
  const { intervalS, retriesMax } = DEFAULT_POLICY;
  return create(FailurePolicySchema, {
    policy: { case: "constant", value: { interval: { seconds: intervalS }, maxRetries: retriesMax } },
  });
}

function randomUint64(random: Random): bigint {
  const bytes = random.bytes(8);
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
}
