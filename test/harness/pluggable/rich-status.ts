import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { GrpcStatusCode } from "../../../src/errors/grpc-status.ts";
import { GrpcError } from "../../../src/net/grpc/status.ts";
import { ErrorInfoSchema } from "../../../src/wire/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../../src/wire/gen/google/rpc/status_pb.js";

/** A status with one google.rpc detail, as grpc-go's `status.WithDetails` makes it. */
export function statusWith<D extends DescMessage>(
  code: GrpcStatusCode,
  message: string,
  schema: D,
  detail: MessageInitShape<D>,
): GrpcError {
  const details = [anyPack(schema, create(schema, detail))];
  return new GrpcError(code, message, {
    detailsBin: toBinary(StatusSchema, create(StatusSchema, { code, message, details })),
  });
}

/** An error that its component wants to reach the callers of the API as it is (Dapr's `StatusFromKitError`). */
export function kitError(code: GrpcStatusCode, httpCode: number, name: string): GrpcError {
  return statusWith(code, `${name}-error`, ErrorInfoSchema, {
    reason: `${name}-reason`,
    domain: `${name}-domain`,
    metadata: { kit_error: "true", http_code: String(httpCode), tag: `${name}-tag` },
  });
}
