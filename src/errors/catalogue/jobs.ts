import { GRPC_STATUS } from "../grpc-status.ts";
import type { ErrorEntry } from "../error.ts";

/** Errors of the jobs API, rich in both doors (dapr/dapr pkg/api/errors/scheduler.go at 1.18). */
export const jobErrors = {
  /** Takes the statuses of the scheduler's own answer. */
  schedule: failed("DAPR_SCHEDULER_SCHEDULE_JOB", "failed to schedule job due to: {reason}"),
  get: failed("DAPR_SCHEDULER_GET_JOB", "failed to get job due to: {reason}"),
  list: failed("DAPR_SCHEDULER_LIST_JOBS", "failed to list jobs due to: {reason}"),
  delete: failed("DAPR_SCHEDULER_DELETE_JOB", "failed to delete job due to: {reason}"),
  jobEmpty: refused("DAPR_SCHEDULER_EMPTY", "Job is empty"),
  nameEmpty: refused("DAPR_SCHEDULER_JOB_NAME_EMPTY", "Name is empty"),
  scheduleEmpty: refused("DAPR_SCHEDULER_SCHEDULE_EMPTY", "Schedule is empty"),
  nameInBody: refused("DAPR_SCHEDULER_JOB_NAME", "Set the job name in the url only"),
} as const satisfies Readonly<Record<string, ErrorEntry>>;

function failed<M extends string>(code: string, message: M): ErrorEntry<M> & { readonly reason: string } {
  return { code, category: "job", httpStatus: 500, grpcStatus: GRPC_STATUS.INTERNAL, message, reason: code };
}

function refused<M extends string>(code: string, message: M): ErrorEntry<M> & { readonly reason: string } {
  return { code, category: "job", httpStatus: 400, grpcStatus: GRPC_STATUS.INVALID_ARGUMENT, message, reason: code };
}
