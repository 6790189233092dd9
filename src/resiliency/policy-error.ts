export type PolicyErrorKind = "timeout" | "breakerOpen" | "tooManyRequests";

/** Dapr's words: of Go's context package, and of its breaker. */
const MESSAGES: Readonly<Record<PolicyErrorKind, string>> = {
  timeout: "context deadline exceeded",
  breakerOpen: "circuit breaker is open",
  tooManyRequests: "too many requests",
};

/** What a policy itself says instead of an answer; callers make it an error of their own operation. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
  readonly kind: PolicyErrorKind;

  constructor(kind: PolicyErrorKind) {
    super(MESSAGES[kind]);
    this.kind = kind;
  }
}
