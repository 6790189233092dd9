import type { GrpcStatusCode } from "./grpc-status.ts";

/** Label `category` of `dapr_error_code_total`. */
export type ErrorCategory =
  | "actor"
  | "workflow"
  | "state"
  | "configuration"
  | "crypto"
  | "secret"
  | "pubsub"
  | "conversation"
  | "service-invocation"
  | "binding"
  | "lock"
  | "job"
  | "health"
  | "common"
  | "pluggable-component";

/** One row of the catalogue. `message` holds `{fact}` places that `apiError` fills. */
export interface ErrorEntry<M extends string = string> {
  /** `errorCode` of the HTTP body and label of the error metric. */
  readonly code: string;
  readonly category: ErrorCategory;
  readonly httpStatus: number;
  readonly grpcStatus: GrpcStatusCode;
  readonly message: M;
  /** Present: the answer is a rich error with this google.rpc.ErrorInfo reason. */
  readonly reason?: string;
}

/** The names between braces in a message template. */
export type FactNames<M extends string> = M extends `${string}{${infer Name}}${infer Rest}`
  ? Name | FactNames<Rest>
  : never;

/** A google.rpc detail of a rich error (google/rpc/error_details.proto). */
export type ErrorDetail =
  | {
      readonly kind: "ErrorInfo";
      readonly reason: string;
      readonly domain: string;
      readonly metadata?: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "ResourceInfo";
      readonly resourceType: string;
      readonly resourceName: string;
      readonly owner?: string;
      readonly description?: string;
    }
  | {
      readonly kind: "BadRequest";
      readonly fieldViolations: readonly { readonly field: string; readonly description: string }[];
    }
  | { readonly kind: "Help"; readonly links: readonly { readonly url: string; readonly description: string }[] };

/** The domain of every ErrorInfo that the runtime itself makes. */
export const ERROR_DOMAIN = "dapr.io";

/**
 * The error every block throws for what a caller may see: a row of the catalogue with its facts filled in. Doors render
 * it; anything else that reaches a door is a bug of ours and is logged with its stack.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly entry: ErrorEntry;
  readonly facts: Readonly<Record<string, string | number>>;
  /** Empty for the legacy body shape. */
  readonly details: readonly ErrorDetail[];
  readonly httpStatus: number;
  readonly grpcStatus: GrpcStatusCode;

  constructor(
    entry: ErrorEntry,
    message: string,
    options: ApiErrorOptions & { facts?: Readonly<Record<string, string | number>> } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.entry = entry;
    this.facts = options.facts ?? {};
    this.details = options.details ?? [];
    this.httpStatus = options.httpStatus ?? entry.httpStatus;
    this.grpcStatus = options.grpcStatus ?? entry.grpcStatus;
  }
}

export interface ApiErrorOptions {
  readonly cause?: unknown;
  readonly details?: readonly ErrorDetail[];
  /** Where one code has several statuses (etag mismatch). */
  readonly httpStatus?: number;
  readonly grpcStatus?: GrpcStatusCode;
}

/** Makes the error of a catalogue row; the compiler checks that every fact of its message is given. */
export function apiError<M extends string>(
  entry: ErrorEntry<M>,
  facts: Readonly<Record<FactNames<M>, string | number>>,
  options: ApiErrorOptions = {},
): ApiError {
  const given: Readonly<Record<string, string | number>> = facts;
  const message = entry.message.replace(/\{(\w+)\}/g, (_, name: string) => String(given[name]));
  return new ApiError(entry, message, { ...options, facts: given });
}
