import { goErrorText } from "../../app/go-error-text.ts";
import { jobErrors } from "../../errors/catalogue/jobs.ts";
import { type ApiError, type ApiErrorOptions, apiError, ERROR_DOMAIN, type ErrorEntry } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { httpStatusOfGrpc } from "../../errors/http-status-of-grpc.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import type { Logger } from "../../kit/logger.ts";
import type { TraceContext } from "../../kit/trace-context.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { JobTarget, NamedJob, SchedulerCalls } from "../../scheduling/types.ts";

export interface ScheduleJob {
  /** Undefined when the caller sent none, which is an error. */
  readonly job: NamedJob | undefined;
  /** False: a job of that name is an error. */
  readonly overwrite: boolean;
  /** A second name, in the body of a call whose path has named the job: an error unless empty. */
  readonly nameInBody?: string | undefined;
  /** Of the request, for the scheduler's own span. */
  readonly trace?: TraceContext | undefined;
}

/** The app's jobs: every door and every in-process caller comes here. All methods throw ApiError. */
export interface JobsBlock {
  schedule(request: ScheduleJob, signal?: CancelSignal): Promise<void>;
  get(name: string, signal?: CancelSignal): Promise<NamedJob>;
  list(signal?: CancelSignal): Promise<readonly NamedJob[]>;
  /** A job that is not there is deleted already. */
  delete(name: string, signal?: CancelSignal): Promise<void>;
  /** An empty prefix: all jobs. */
  deleteByPrefix(prefix: string, signal?: CancelSignal): Promise<void>;
}

export interface JobsBlockOptions {
  readonly appId: string;
  /** Never empty. */
  readonly namespace: string;
  /** Undefined: there is no scheduler service. */
  readonly scheduler: SchedulerCalls | undefined;
  readonly logger: Logger;
}

const APP: JobTarget = { kind: "app" };

export function createJobsBlock(options: JobsBlockOptions): JobsBlock {
  return new SchedulerJobs(options);
}

class SchedulerJobs implements JobsBlock {
  readonly #options: JobsBlockOptions;
  readonly #logger: Logger;

  constructor(options: JobsBlockOptions) {
    this.#options = options;
    this.#logger = options.logger.scope("dapr.api");
  }

  async schedule({ job, overwrite, nameInBody = "", trace }: ScheduleJob, signal?: CancelSignal): Promise<void> {
    if (nameInBody !== "") {
      throw this.#refusal(jobErrors.nameInBody, { appID: this.#options.appId });
    }
    if (job === undefined) {
      throw this.#refusal(jobErrors.jobEmpty);
    }
    this.#checkName(job.name);
    if (job.schedule === undefined && job.dueTime === undefined) {
      throw this.#refusal(jobErrors.scheduleEmpty);
    }
    try {
      await this.#scheduler().schedule(APP, job, overwrite, signal, trace);
    } catch (error) {
      this.#logger.error(`Error scheduling job ${job.name} due to: ${goErrorText(error)}`);
      throw this.#failure(jobErrors.schedule, error, statusesOf(error));
    }
  }

  async get(name: string, signal?: CancelSignal): Promise<NamedJob> {
    this.#checkName(name);
    try {
      return { ...(await this.#scheduler().get(APP, name, signal)), name };
    } catch (error) {
      this.#logger.error(`Error getting job ${name} due to: ${goErrorText(error)}`);
      throw this.#failure(jobErrors.get, error);
    }
  }

  async list(signal?: CancelSignal): Promise<readonly NamedJob[]> {
    try {
      return await this.#scheduler().list(APP, signal);
    } catch (error) {
      this.#logger.error(`Error listing jobs due to: ${goErrorText(error)}`);
      throw this.#failure(jobErrors.list, error);
    }
  }

  async delete(name: string, signal?: CancelSignal): Promise<void> {
    this.#checkName(name);
    try {
      await this.#scheduler().delete(APP, name, signal);
    } catch (error) {
      this.#logger.error(`Error deleting job: ${name} due to: ${goErrorText(error)}`);
      throw this.#failure(jobErrors.delete, error);
    }
  }

  async deleteByPrefix(prefix: string, signal?: CancelSignal): Promise<void> {
    try {
      await this.#scheduler().deleteByPrefix(APP, prefix, signal);
    } catch (error) {
      this.#logger.error(`Error deleting jobs by prefix due to: ${goErrorText(error)}`);
      throw this.#failure(jobErrors.delete, error);
    }
  }

  #scheduler(): SchedulerCalls {
    const { scheduler } = this.#options;
    if (scheduler === undefined) {
      throw new Error("scheduler clients are disabled");
    }
    return scheduler;
  }

  #checkName(name: string): void {
    if (name === "") {
      throw this.#refusal(jobErrors.nameEmpty);
    }
  }

  #refusal(entry: ErrorEntry & { readonly reason: string }, facts = this.#facts()): ApiError {
    return apiError(entry, {}, { details: [errorInfo(entry.reason, facts)] });
  }

  #failure(
    entry: ErrorEntry<`${string}{reason}`> & { readonly reason: string },
    cause: unknown,
    statuses: ApiErrorOptions = {},
  ): ApiError {
    const details = [errorInfo(entry.reason, this.#facts())];
    return apiError(entry, { reason: goErrorText(cause) }, { ...statuses, details, cause });
  }

  #facts(): Readonly<Record<string, string>> {
    const { appId, namespace } = this.#options;
    return { appID: appId, namespace };
  }
}

function errorInfo(reason: string, metadata: Readonly<Record<string, string>>) {
  return { kind: "ErrorInfo", reason, domain: ERROR_DOMAIN, metadata } as const;
}

/** The scheduler's own code goes on to the caller; without one it is an internal error. */
function statusesOf(error: unknown): ApiErrorOptions {
  const grpcStatus = GrpcError.is(error) && error.code !== GRPC_STATUS.UNKNOWN ? error.code : GRPC_STATUS.INTERNAL;
  return { grpcStatus, httpStatus: httpStatusOfGrpc(grpcStatus) };
}
