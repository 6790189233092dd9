import { GRPC_STATUS, type GrpcStatusCode } from "../errors/grpc-status.ts";

/** The gRPC code of an HTTP app's status (gRPC's http-grpc-status-mapping, as Dapr reads it). */
export function grpcCodeOfHttpApp(status: number): GrpcStatusCode {
  if (status >= 200 && status < 300) {
    return GRPC_STATUS.OK;
  }
  return CODES.get(status) ?? GRPC_STATUS.UNKNOWN;
}

const CODES: ReadonlyMap<number, GrpcStatusCode> = new Map([
  [400, GRPC_STATUS.INTERNAL],
  [401, GRPC_STATUS.UNAUTHENTICATED],
  [403, GRPC_STATUS.PERMISSION_DENIED],
  [404, GRPC_STATUS.NOT_FOUND],
  [408, GRPC_STATUS.CANCELLED],
  [409, GRPC_STATUS.ALREADY_EXISTS],
  [429, GRPC_STATUS.RESOURCE_EXHAUSTED],
  [501, GRPC_STATUS.UNIMPLEMENTED],
  [503, GRPC_STATUS.UNAVAILABLE],
  [504, GRPC_STATUS.DEADLINE_EXCEEDED],
]);
