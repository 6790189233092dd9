/** `unknown` is what Dapr's scheduler answers with for most faults: a gRPC status without a meaning beside its text. */
export type JobErrorKind = "unknown" | "invalid" | "not found" | "exists" | "limit";

/** A call about jobs that could not be done; the message is Dapr's where Dapr has one. */
export class JobError extends Error {
  override readonly name = "JobError";
  readonly kind: JobErrorKind;

  constructor(kind: JobErrorKind, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}
