import { create } from "@bufbuild/protobuf";
import { HTTPExtension_Verb } from "../wire/gen/dapr/proto/common/v1/common_pb.js";
import { type JobEventRequest, JobEventRequestSchema } from "../wire/gen/dapr/proto/runtime/v1/appcallback_pb.js";
import type { JobEvent } from "./types.ts";

/** The `OnJobEvent` request of a trigger. */
export function jobEventRequest({ name, data }: JobEvent): JobEventRequest {
  return create(JobEventRequestSchema, {
    name,
    ...(data === undefined ? {} : { data: { typeUrl: data.typeUrl, value: data.value } }),
    method: `job/${name}`,
    contentType: data?.typeUrl ?? "",
    httpExtension: { verb: HTTPExtension_Verb.POST },
  });
}
