import type { DeliveryOutcome } from "../../app/types.ts";
import { ConsumerGoneError } from "../../components/spi/pubsub.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { FailureStatus, Policy } from "../../resiliency/types.ts";

const NO_STATUS: FailureStatus = { kind: "none" };
const NO_ANSWER: DeliveryOutcome = { kind: "retry", reason: "the app's answer names no such entry" };

/** An event's way to the app under a policy: what it wants again is delivered again, what it drops is not. */
export async function deliverGuarded(
  policy: Policy,
  signal: CancelSignal,
  attempt: (signal: CancelSignal) => Promise<DeliveryOutcome>,
): Promise<DeliveryOutcome> {
  try {
    return await policy.run(attempt, { judge: failureOf, isPermanent: isGone, signal });
  } catch (error) {
    if (isGone(error)) {
      throw error;
    }
    return { kind: "retry", reason: errorMessage(error) };
  }
}

/** The same for a list of events, of which only those go again that the app wants again. */
export async function deliverBulkGuarded<E>(
  policy: Policy,
  signal: CancelSignal,
  entries: readonly E[],
  attempt: (entries: readonly E[], signal: CancelSignal) => Promise<readonly DeliveryOutcome[]>,
): Promise<readonly DeliveryOutcome[]> {
  const settled = new Map<E, DeliveryOutcome>();
  let left = entries;
  let current = 0;
  try {
    await policy.run(
      async (attemptSignal, number) => {
        current = number;
        const outcomes = await attempt(left, attemptSignal);
        // Of an attempt whose time ran out nothing counts: the next one has begun with all it had.
        if (number === current) {
          left.forEach((entry, index) => settled.set(entry, outcomes[index] ?? NO_ANSWER));
          left = left.filter((entry) => settled.get(entry)?.kind === "retry");
        }
        return outcomes;
      },
      { judge: worstOf, signal },
    );
  } catch (error) {
    const reason = errorMessage(error);
    left.forEach((entry) => settled.set(entry, { kind: "retry", reason }));
  }
  return entries.map((entry) => settled.get(entry) ?? NO_ANSWER);
}

function failureOf(outcome: DeliveryOutcome): FailureStatus | undefined {
  return outcome.kind === "retry" ? (outcome.status ?? NO_STATUS) : undefined;
}

function worstOf(outcomes: readonly DeliveryOutcome[]): FailureStatus | undefined {
  const failed = outcomes.find((outcome) => outcome.kind === "retry");
  return failed === undefined ? undefined : failureOf(failed);
}

function isGone(error: unknown): boolean {
  return error instanceof ConsumerGoneError;
}
