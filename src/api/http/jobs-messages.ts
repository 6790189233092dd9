import { createRegistry, toBinary, toJsonString } from "@bufbuild/protobuf";
import {
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
  ValueSchema,
} from "@bufbuild/protobuf/wkt";
import type { ScheduleJob } from "../../blocks/jobs/jobs-block.ts";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { apiError } from "../../errors/error.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { NamedJob } from "../../scheduling/types.ts";
import { JobHTTPRequestSchema } from "../../wire/gen/dapr/proto/internals/v1/jobs_pb.js";
import { JobSchema } from "../../wire/gen/dapr/proto/runtime/v1/jobs_pb.js";
import { jobMessage } from "../job-messages.ts";
import { decodeProtoJson } from "./proto-json.ts";

/** What the data of a job may be for its JSON to be known: protobuf's own types. */
const registry = createRegistry(
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_empty,
  file_google_protobuf_field_mask,
  file_google_protobuf_struct,
  file_google_protobuf_timestamp,
  file_google_protobuf_wrappers,
);

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
    return toJsonString(JobSchema, jobMessage(job), { registry });
  } catch (cause) {
    throw apiError(
      commonErrors.internal,
      { reason: `failed to encode response as JSON: ${errorMessage(cause)}` },
      { cause },
    );
  }
}
