import { create } from "@bufbuild/protobuf";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import {
  type DeleteByMetadataRequest,
  type DeleteByNamePrefixRequest,
  type DeleteJobRequest,
  type GetJobRequest,
  type GetJobResponse,
  GetJobResponseSchema,
  type JobMetadata,
  type ListJobsRequest,
  type ListJobsResponse,
  ListJobsResponseSchema,
  NamedJobSchema,
  type ScheduleJobRequest,
} from "../../wire/gen/dapr/proto/scheduler/v1/scheduler_pb.js";
import { JobError } from "./jobs/job-error.ts";
import { checkJobName, listPrefix, namePrefix } from "./jobs/job-name.ts";
import { type JobFactory, newStoredJob } from "./jobs/new-job.ts";
import { apiJob, readContent, readSpec } from "./jobs/read-job.ts";
import { checkReminderQuota } from "./jobs/reminder-quota.ts";
import { JOBS_MAX, LIST_BYTES_MAX, PAGE_KEYS } from "./limits.ts";
import type { JobType, SchedulerMetrics } from "../../telemetry/metrics/scheduler-metrics.ts";
import type { KeyStore, KeyValue } from "./store/key-store.ts";
import { COUNTERS, JOBS, prefixRange, rangeAfter } from "./store/keys.ts";

/** What calls about jobs stand on. */
export interface JobRequestsDeps {
  readonly store: KeyStore;
  readonly factory: JobFactory;
  readonly metrics: SchedulerMetrics;
  readonly logger: Logger;
  /** Of one actor; 0: no limit. */
  readonly actorRemindersMax: number;
  /** Jobs that are there. */
  jobCount(): number;
}

/** What a sidecar can ask about jobs, except to be triggered. Every call throws JobError or KeyStoreError. */
export class JobRequests {
  readonly #deps: JobRequestsDeps;

  constructor(deps: JobRequestsDeps) {
    this.#deps = deps;
  }

  async schedule({ name, job, metadata, overwrite }: ScheduleJobRequest): Promise<void> {
    const { store, factory, metrics, logger } = this.#deps;
    const owner = this.#authorized(metadata);
    const fullName = namePrefix(owner) + name;
    try {
      checkJobName(fullName);
      const value = newStoredJob(job, owner, factory);
      if (this.#deps.jobCount() >= JOBS_MAX) {
        throw new JobError("limit", `the scheduler keeps ${JOBS_MAX} jobs, which is its limit: delete some`);
      }
      const key = JOBS + fullName;
      await checkReminderQuota(store, key, owner, this.#deps.actorRemindersMax);
      const { succeeded } = await store.commit({
        ...(overwrite ? {} : { conditions: [{ key, modRevision: 0 }] }),
        apply: [{ kind: "put", key, value }],
      });
      if (!succeeded) {
        throw new JobError("exists", `job already exists: '${fullName}'`);
      }
    } catch (error) {
      logger.error(`error scheduling job ${name}: ${errorMessage(error)}`, { overwrite });
      metrics.createFailed(typeOf(owner));
      throw error;
    }
    metrics.created(typeOf(owner));
  }

  async get({ name, metadata }: GetJobRequest): Promise<GetJobResponse> {
    const kv = await this.#deps.store.get(JOBS + this.#fullName(name, metadata));
    if (kv === undefined) {
      throw new JobError("not found", `job not found: ${name}`);
    }
    return create(GetJobResponseSchema, { job: apiJob(readSpec(kv.value)) });
  }

  async delete({ name, metadata }: DeleteJobRequest): Promise<void> {
    const fullName = this.#fullName(name, metadata);
    await this.#deps.store.commit({
      apply: [
        { kind: "delete", key: JOBS + fullName },
        { kind: "delete", key: COUNTERS + fullName },
      ],
    });
    this.#deps.metrics.deleted(typeOf(metadata));
  }

  async list({ metadata }: ListJobsRequest): Promise<ListJobsResponse> {
    const { store } = this.#deps;
    this.#authorized(metadata);
    const response = create(ListJobsResponseSchema);
    let bytes = 0;
    let range = prefixRange(JOBS + listPrefix(metadata, false));
    for (;;) {
      const page = await store.list(range, { limit: PAGE_KEYS });
      for (const kv of page) {
        bytes += kv.value.length;
        if (bytes > LIST_BYTES_MAX) {
          throw new JobError(
            "limit",
            `the jobs have more than ${LIST_BYTES_MAX} bytes together, the most that a listing may have: list fewer, or get them one by one`,
          );
        }
        response.jobs.push(namedJob(kv));
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_KEYS) {
        return response;
      }
      range = rangeAfter(range, last.key);
    }
  }

  async deleteByMetadata({ metadata, idPrefixMatch }: DeleteByMetadataRequest): Promise<void> {
    const prefix = this.#bulkPrefix(metadata, idPrefixMatch === true);
    await this.#deletePrefix(prefix);
  }

  async deleteByNamePrefix({ metadata, namePrefix: name }: DeleteByNamePrefixRequest): Promise<void> {
    await this.#deletePrefix(this.#bulkPrefix(metadata, false) + name);
  }

  async #deletePrefix(prefix: string): Promise<void> {
    const { store, metrics } = this.#deps;
    // With a letter behind it, since a beginning may end where a name may not.
    checkJobName(`${prefix}a`);
    await store.commit({
      apply: [
        { kind: "delete range", range: prefixRange(JOBS + prefix) },
        { kind: "delete range", range: prefixRange(COUNTERS + prefix) },
      ],
    });
    metrics.bulkDeleted();
  }

  #bulkPrefix(metadata: JobMetadata | undefined, open: boolean): string {
    try {
      return listPrefix(this.#authorized(metadata), open);
    } catch (error) {
      if (error instanceof JobError && error.kind === "unknown") {
        throw new JobError("unknown", `failed to parse metadata: ${error.message}`, { cause: error });
      }
      throw error;
    }
  }

  #fullName(name: string, metadata: JobMetadata | undefined): string {
    const fullName = namePrefix(this.#authorized(metadata)) + name;
    checkJobName(fullName);
    return fullName;
  }

  #authorized(metadata: JobMetadata | undefined): JobMetadata {
    if (metadata === undefined || metadata.namespace === "" || metadata.appId === "") {
      this.#deps.metrics.sidecarError("auth_failed");
      throw new JobError("invalid", "missing namespace or appID in request");
    }
    return metadata;
  }
}

function namedJob({ key, value }: KeyValue): ListJobsResponse["jobs"][number] {
  const { name, metadata, spec } = readContent(key.slice(JOBS.length), value);
  return create(NamedJobSchema, { name, metadata, job: apiJob(spec) });
}

function typeOf(metadata: JobMetadata | undefined): JobType {
  switch (metadata?.target?.type.case) {
    case "job":
      return "job";
    case "actor":
      return "actor";
    case undefined:
      return "unknown";
  }
}
