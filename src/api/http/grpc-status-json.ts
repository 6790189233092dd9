import { createRegistry, fromBinary, toJsonString } from "@bufbuild/protobuf";
import type { InvokeStatus } from "../../app/types.ts";
import { invocationErrors } from "../../errors/catalogue/invocation.ts";
import { apiError } from "../../errors/error.ts";
import { StatusSchema } from "../../wire/gen/dapr/proto/internals/v1/status_pb.js";
import { file_google_rpc_error_details } from "../../wire/gen/google/rpc/error_details_pb.js";

const DETAIL_TYPES = createRegistry(file_google_rpc_error_details);

/**
 * A gRPC app's failed answer as the JSON of `dapr.proto.internals.v1.Status`.
 *
 * @throws ApiError ERR_MALFORMED_RESPONSE for a detail of a type that we do not know
 */
export function statusJson(status: InvokeStatus & { readonly kind: "grpc" }): string {
  if (status.detailsBin === undefined) {
    return JSON.stringify(
      status.message === "" ? { code: status.code } : { code: status.code, message: status.message },
    );
  }
  try {
    return toJsonString(StatusSchema, fromBinary(StatusSchema, status.detailsBin), { registry: DETAIL_TYPES });
  } catch (error) {
    throw apiError(
      invocationErrors.malformedResponse,
      { reason: error instanceof Error ? error.message : String(error) },
      { cause: error },
    );
  }
}
