import type { ErrorBody, ErrorCode } from "../model/rest.ts";

/** Status of each error code. */
export const STATUS_OF = {
  "invalid-request": 400,
  "not-an-order": 400,
  "not-a-refund": 400,
  unauthorized: 401,
  "route-not-found": 404,
  "code-not-found": 404,
  "order-not-found": 404,
  "order-taken": 409,
  "order-ended": 409,
  "id-taken": 409,
  "not-confirmed-yet": 409,
  "not-sold": 409,
  "not-its-goods": 409,
  "already-paid": 409,
  "already-refunded": 409,
  internal: 500,
  unavailable: 503,
} as const satisfies Record<ErrorCode, number>;

/** A failure that the caller is told of; the message names the thing and the fix. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get status(): number {
    return STATUS_OF[this.code];
  }

  get body(): ErrorBody {
    return { error: { code: this.code, message: this.message } };
  }
}
