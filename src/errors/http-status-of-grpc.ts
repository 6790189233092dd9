import type { GrpcStatusCode } from "./grpc-status.ts";

/** HTTP statuses by gRPC code, 0 to 16 (grpc-gateway's table, which Dapr uses). */
const HTTP_STATUSES: readonly number[] = [
  200, 408, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401,
];

/** The HTTP status that stands for a gRPC code. */
export function httpStatusOfGrpc(code: GrpcStatusCode): number {
  return HTTP_STATUSES[code] ?? 500;
}
