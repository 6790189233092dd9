import type { GrpcStatusCode } from "../../errors/grpc-status.ts";
import { goStatusName } from "../../errors/grpc-status.ts";
import { ComponentError, type ComponentErrorKind } from "./errors.ts";

/** What a component wants its callers to be told. */
export interface RichStatus {
  readonly grpcStatus: GrpcStatusCode;
  readonly httpStatus: number;
  readonly text: string;
  /** `errorCode` of the HTTP body; empty: the reason stands in. */
  readonly tag: string;
  /** Of the google.rpc.ErrorInfo. */
  readonly reason: string;
  readonly domain: string;
}

/** An error whose component has chosen code, statuses and details itself; its message is how Dapr prints it within others. */
export class RichComponentError extends ComponentError {
  readonly status: RichStatus;

  constructor(kind: ComponentErrorKind, status: RichStatus, cause?: unknown) {
    super(kind, `api error: code = ${goStatusName(status.grpcStatus)} desc = ${status.text}`, { cause });
    this.status = status;
  }
}
