import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { goStatusName, GRPC_STATUS, type GrpcStatusCode } from "../../errors/grpc-status.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import {
  type BadRequest,
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
} from "../../wire/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "../../wire/gen/google/rpc/status_pb.js";
import { ComponentError, type ComponentErrorKind } from "../spi/errors.ts";
import { etagInvalid, etagMismatch } from "../spi/etag-errors.ts";
import { RichComponentError } from "../spi/rich-error.ts";

const ETAG_FIELD = "etag";
const WHOLE_NUMBER = /^\d{1,15}$/;

/** A failed call as Dapr prints it: `rpc error: code = … desc = …`. Whatever is no gRPC status stays what it is. */
export function statusError(error: unknown): unknown {
  if (!GrpcError.is(error)) {
    return error;
  }
  return new ComponentError(kindOf(error.code), textOf(error), { cause: error });
}

/** As `statusError`, for reads of a state store: it may give its callers an error of its own choice. */
export function readError(error: unknown): unknown {
  return GrpcError.is(error) ? (richError(error) ?? statusError(error)) : error;
}

/** As `readError`, for writes: the store may also say that an etag does not fit. */
export function writeError(error: unknown): unknown {
  return GrpcError.is(error) ? (richError(error) ?? etagError(error) ?? statusError(error)) : error;
}

/** As `writeError`, for transactions, where an etag that does not fit has the plain text, as in Dapr. */
export function transactionError(error: unknown): unknown {
  if (!GrpcError.is(error)) {
    return error;
  }
  const rich = richError(error);
  const etag = rich === undefined ? etagError(error) : undefined;
  return (
    rich ?? (etag === undefined ? statusError(error) : new ComponentError(etag.kind, textOf(error), { cause: error }))
  );
}

/** As `writeError`, for bulk deletes: the store may also say that it deleted fewer than it should. */
export function bulkDeleteError(error: unknown): unknown {
  return GrpcError.is(error)
    ? (richError(error) ?? etagError(error) ?? rowMismatch(error) ?? statusError(error))
    : error;
}

function textOf(error: GrpcError): string {
  return `rpc error: code = ${goStatusName(error.code)} desc = ${error.message}`;
}

function kindOf(code: GrpcStatusCode): ComponentErrorKind {
  switch (code) {
    case GRPC_STATUS.NOT_FOUND:
      return "notFound";
    case GRPC_STATUS.INVALID_ARGUMENT:
      return "invalidRequest";
    case GRPC_STATUS.UNIMPLEMENTED:
      return "unsupported";
    case GRPC_STATUS.DEADLINE_EXCEEDED:
    case GRPC_STATUS.CANCELLED:
      return "timeout";
    default:
      return "unavailable";
  }
}

/** An ErrorInfo that says `kit_error: true` in its metadata is meant for the callers of the API. */
function richError(error: GrpcError): RichComponentError | undefined {
  const info = onlyDetail(error)?.info;
  const httpCode = info?.metadata["http_code"] ?? "";
  if (info === undefined || info.metadata["kit_error"] !== "true" || !WHOLE_NUMBER.test(httpCode)) {
    return undefined;
  }
  const status = {
    grpcStatus: error.code,
    httpStatus: httpStatusOf(Number(httpCode)),
    text: error.message,
    tag: info.metadata["tag"] ?? "",
    reason: info.reason,
    domain: info.domain,
  };
  return new RichComponentError(kindOf(error.code), status, error);
}

/** What cannot be a final status of HTTP is answered as 500. */
function httpStatusOf(code: number): number {
  return code >= 200 && code <= 999 ? code : 500;
}

function etagError(error: GrpcError): ComponentError | undefined {
  if (error.code !== GRPC_STATUS.FAILED_PRECONDITION && error.code !== GRPC_STATUS.INVALID_ARGUMENT) {
    return undefined;
  }
  const violations = onlyDetail(error)?.badRequest?.fieldViolations ?? [];
  const [violation] = violations;
  if (violations.length !== 1 || violation?.field !== ETAG_FIELD) {
    return undefined;
  }
  const make = error.code === GRPC_STATUS.INVALID_ARGUMENT ? etagInvalid : etagMismatch;
  return make(violation.description);
}

function rowMismatch(error: GrpcError): ComponentError | undefined {
  const metadata = error.code === GRPC_STATUS.INTERNAL ? onlyDetail(error)?.info?.metadata : undefined;
  const expected = metadata?.["expected"] ?? "";
  const affected = metadata?.["affected"] ?? "";
  if (!WHOLE_NUMBER.test(expected) || !WHOLE_NUMBER.test(affected)) {
    return undefined;
  }
  const text = `delete affected only ${Number(affected)} rows, expected ${Number(expected)}`;
  return new ComponentError("unavailable", text, { cause: error });
}

/** The one detail of a status; several or none that we know mean nothing to Dapr. */
function onlyDetail(error: GrpcError): { readonly info?: ErrorInfo; readonly badRequest?: BadRequest } | undefined {
  if (error.detailsBin === undefined) {
    return undefined;
  }
  try {
    const { details } = fromBinary(StatusSchema, error.detailsBin);
    const [detail] = details;
    if (detail === undefined || details.length !== 1) {
      return undefined;
    }
    const info = anyUnpack(detail, ErrorInfoSchema);
    if (info !== undefined) {
      return { info };
    }
    const badRequest = anyUnpack(detail, BadRequestSchema);
    return badRequest === undefined ? undefined : { badRequest };
  } catch {
    return undefined;
  }
}
