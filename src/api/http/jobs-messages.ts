import { toBinary, toJsonString } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { ScheduleJob } from "../../blocks/jobs/jobs-block.ts";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { apiError } from "../../errors/error.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { NamedJob } from "../../scheduling/types.ts";
import { JobHTTPRequestSchema } from "../../wire/gen/dapr/proto/internals/v1/jobs_pb.js";
import { JobSchema } from "../../wire/gen/dapr/proto/runtime/v1/jobs_pb.js";
import { jobMessage } from "../job-messages.ts";
import { decodeProtoJson, WELL_KNOWN_TYPES } from "./proto-json.ts";

/** The job of a body, whose data is any JSON. @throws ApiError ERR_MALFORMED_REQUEST */
export function decodeJob(name: string, body: Uint8Array): ScheduleJob {
  const request = decodeProtoJson(JobHTTPRequestSchema, body);
  const { schedule, repeats, dueTime, ttl, data, failurePolicy } = request;
  const any =
    data === undefined
      ? undefined
      : { typeUrl: `type.googleapis.com/${ValueSchema.typeName}`, value: toBinary(ValueSchema, data) };
  return {
    job: { name, schedule, repeats, dueTime, ttl, data: any, failurePolicy },
    overwrite: request.overwrite ?? false,
    nameInBody: request.name,
  };
}

/** @throws ApiError ERR_INTERNAL for data of a type that nobody here knows */
export function jobJson(job: NamedJob): string {
  try {
    return toJsonString(JobSchema, jobMessage(job), { registry: WELL_KNOWN_TYPES });
  } catch (cause) {
    throw apiError(
      commonErrors.internal,
      { reason: `failed to encode response as JSON: ${errorMessage(cause)}` },
      { cause },
    );
  }
}
