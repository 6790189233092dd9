import type { GrpcStatusCode } from "../../errors/grpc-status.ts";

/** Told of every unary call of a client at its end; streams are not measured, as in Dapr. Sizes are the messages'. */
export interface GrpcClientObserver {
  unaryDone(path: string, code: GrpcStatusCode, latencyMs: number, sentBytes: number, receivedBytes: number): void;
}
