import { type JsonObject, type JsonValue, type MessageShape, toBinary, toJsonString } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { ScheduleJob } from "../../blocks/jobs/jobs-block.ts";
import { commonErrors } from "../../errors/catalogue/common.ts";
import { apiError } from "../../errors/error.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { NamedJob } from "../../scheduling/types.ts";
import { JobHTTPRequestSchema } from "../../wire/gen/dapr/proto/internals/v1/jobs_pb.js";
import { JobSchema } from "../../wire/gen/dapr/proto/runtime/v1/jobs_pb.js";
import { writeJsonValue } from "../../wire/codecs/json-value.ts";
import { jobMessage } from "../job-messages.ts";
import { decodeParsedProtoJson, decodeProtoJson, WELL_KNOWN_TYPES } from "./proto-json.ts";

interface DecodedJob {
  readonly request: MessageShape<typeof JobHTTPRequestSchema>;
  /** A `google.protobuf.Value`. */
  readonly data: Uint8Array | undefined;
}

/** The job of a body, whose data is any JSON. @throws ApiError ERR_MALFORMED_REQUEST */
export function decodeJob(name: string, body: Uint8Array): ScheduleJob {
  const { request, data } = decodeWithData(body) ?? decodeWhole(body);
  const { schedule, repeats, dueTime, ttl, failurePolicy } = request;
  const any = data === undefined ? undefined : { typeUrl: `type.googleapis.com/${ValueSchema.typeName}`, value: data };
  return {
    job: { name, schedule, repeats, dueTime, ttl, data: any, failurePolicy },
    overwrite: request.overwrite ?? false,
    nameInBody: request.name,
  };
}

/** Data is most of a job: it goes from JSON to bytes without messages in between. Undefined: only `decodeWhole` will do. */
function decodeWithData(body: Uint8Array): DecodedJob | undefined {
  let parsed: JsonValue;
  try {
    parsed = JSON.parse(Buffer.from(body).toString()) as JsonValue;
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed) || parsed["data"] === undefined) {
    return undefined;
  }
  const { data: json, ...rest }: JsonObject = parsed;
  const data = writeJsonValue(json);
  return data === undefined ? undefined : { request: decodeParsedProtoJson(JobHTTPRequestSchema, rest), data };
}

function decodeWhole(body: Uint8Array): DecodedJob {
  const request = decodeProtoJson(JobHTTPRequestSchema, body);
  return { request, data: request.data === undefined ? undefined : toBinary(ValueSchema, request.data) };
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
