import { create, toBinary } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import type { ApiError, ErrorDetail } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { GrpcStatus } from "../../net/grpc/types.ts";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  HelpSchema,
  ResourceInfoSchema,
} from "../../wire/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../wire/gen/google/rpc/status_pb.js";

/** The status of an error: the catalogue's code and text, with its details as `grpc-status-details-bin`. */
export function statusOf(error: ApiError): GrpcStatus {
  if (error.details.length === 0) {
    return { code: error.grpcStatus, message: error.message };
  }
  const status = create(StatusSchema, {
    code: error.grpcStatus,
    message: error.message,
    details: error.details.map(detailMessage),
  });
  return { code: error.grpcStatus, message: error.message, detailsBin: toBinary(StatusSchema, status) };
}

/** What a caller sees of an error that no block foresaw; the door logs it with its stack. */
export function statusOfBug(error: unknown): GrpcStatus {
  return { code: GRPC_STATUS.INTERNAL, message: error instanceof Error ? error.message : String(error) };
}

function detailMessage(detail: ErrorDetail): Any {
  switch (detail.kind) {
    case "ErrorInfo":
      return anyPack(
        ErrorInfoSchema,
        create(ErrorInfoSchema, { reason: detail.reason, domain: detail.domain, metadata: { ...detail.metadata } }),
      );
    case "ResourceInfo":
      return anyPack(
        ResourceInfoSchema,
        create(ResourceInfoSchema, {
          resourceType: detail.resourceType,
          resourceName: detail.resourceName,
          owner: detail.owner ?? "",
          description: detail.description ?? "",
        }),
      );
    case "BadRequest":
      return anyPack(
        BadRequestSchema,
        create(BadRequestSchema, { fieldViolations: detail.fieldViolations.map((violation) => ({ ...violation })) }),
      );
    case "Help":
      return anyPack(HelpSchema, create(HelpSchema, { links: detail.links.map((link) => ({ ...link })) }));
  }
}
