import { discardBody } from "../../app/body.ts";
import { grpcCodeOfHttpApp } from "../../app/grpc-code-of-http.ts";
import type { InvokeCall, InvokeReply } from "../../app/types.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { Cancellation, type CancelSignal } from "../../kit/cancel-signal.ts";
import type { TraceSpan } from "../../kit/trace-context.ts";
import { PolicyError } from "../../resiliency/policy-error.ts";
import type { FailureStatus, Policy, PolicyRun } from "../../resiliency/types.ts";

/** A call under the policy that a user has given its target. */
export type Attempt = (call: InvokeCall) => Promise<InvokeReply>;

/**
 * Runs a call under a policy. An answer that is a failure by its status is repeated as the policy says, and passes through
 * as it is when no attempt is left. A streamed body is sent once, whatever the policy says, and still counted by its
 * circuit breaker.
 *
 * @throws what the last attempt threw, or PolicyError
 */
export function callUnderPolicy(policy: Policy, call: InvokeCall, attempt: Attempt): Promise<InvokeReply> {
  const own = call.origin === "http" ? HTTP_RUN : GRPC_RUN;
  const { signal } = call;
  const run = { ...own, signal, repeatable: call.body instanceof Uint8Array };
  const { trace } = call;
  if (trace?.recording === true) {
    return tracedRun(policy, call, trace, attempt, run);
  }
  return policy.run(
    (attemptSignal) => attempt(attemptSignal === signal ? call : { ...call, signal: eitherOf(attemptSignal, signal) }),
    run,
  );
}

/** The same, and its span says how many attempts there were and what the policy refused: `breakerOpen`, `timeout` … */
async function tracedRun(
  policy: Policy,
  call: InvokeCall,
  span: TraceSpan,
  attempt: Attempt,
  run: PolicyRun<InvokeReply>,
): Promise<InvokeReply> {
  const { signal } = call;
  let attempts = 0;
  try {
    return await policy.run((attemptSignal, number) => {
      attempts = number;
      return attempt(attemptSignal === signal ? call : { ...call, signal: eitherOf(attemptSignal, signal) });
    }, run);
  } catch (error) {
    if (error instanceof PolicyError) {
      span.set("dapr.resiliency.refusal", error.kind);
    }
    throw error;
  } finally {
    span.set("dapr.resiliency.attempts", attempts);
  }
}

/** How Dapr's HTTP API judges: an HTTP app's status counts, a gRPC app's does not; errors have none. */
const HTTP_RUN: PolicyRun<InvokeReply> = {
  judge: ({ status }) =>
    status.kind === "http" && (status.code < 200 || status.code > 399)
      ? { kind: "http", code: status.code }
      : undefined,
  discard: forget,
};

/** How its gRPC API judges: by gRPC code, into which an HTTP app's status is translated; errors are Internal. */
const GRPC_RUN: PolicyRun<InvokeReply> = {
  judge: ({ status }) => grpcFailure(status.kind === "http" ? grpcCodeOfHttpApp(status.code) : status.code),
  statusOf: () => grpcFailure(GRPC_STATUS.INTERNAL),
  discard: forget,
};

function grpcFailure(code: number): FailureStatus | undefined {
  return code === GRPC_STATUS.OK ? undefined : { kind: "grpc", code };
}

function forget(reply: InvokeReply): void {
  discardBody(reply.body).catch(() => undefined);
}

/**
 * Aborted with the first of two. An attempt's own signal ends with the attempt, at the head of its answer; the caller's
 * still ends the body behind that.
 */
function eitherOf(attempt: CancelSignal, caller: CancelSignal | undefined): CancelSignal {
  if (caller === undefined) {
    return attempt;
  }
  const either = new Cancellation();
  for (const signal of [attempt, caller]) {
    if (signal.aborted) {
      either.abort(signal.reason);
    } else {
      signal.addEventListener("abort", () => either.abort(signal.reason), { once: true });
    }
  }
  return either;
}
