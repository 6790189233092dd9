import { type Confirmation, confirmationFile } from "../model/confirmation.ts";
import type { OrderPlaced } from "../model/messages.ts";
import type { Conclusion } from "../model/order.ts";
import type { ConcludeRequest, OrderAnswer } from "../model/order-methods.ts";
import type { CommitAnswer, CommitRequest } from "../model/stock-methods.ts";

/** How an order ends that wanted to commit its reservation. */
const CONCLUSION_OF = {
  committed: "confirmed",
  refused: "rejected",
  unknown: "rejected",
  mismatched: "rejected",
  cancelled: "cancelled",
  expired: "expired",
} as const satisfies Record<CommitAnswer["status"], Conclusion>;

export interface ConfirmOptions {
  readonly commit: (request: CommitRequest) => Promise<CommitAnswer>;
  /** Sends the confirmation to the customer; the same file again replaces the first one. */
  readonly send: (file: string, confirmation: Confirmation) => Promise<void>;
  readonly conclude: (request: ConcludeRequest) => Promise<OrderAnswer>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Commits the reservation of a placed order, confirms it to the customer and ends the order, in this sequence: an order
 * that is `confirmed` has been confirmed. May be done any number of times, and be cut off anywhere.
 */
export async function confirm(order: OrderPlaced, { commit, send, conclude, now }: ConfirmOptions): Promise<void> {
  const { orderId, reservationId, lines } = order;
  const { status } = await commit({ reservationId, orderId, lines });
  if (status === "committed") {
    await send(confirmationFile(orderId), { ...order, confirmedAt: new Date(now()).toISOString() });
  }
  const answer = await conclude({ id: orderId, status: CONCLUSION_OF[status] });
  if ("refusal" in answer) throw new Error(`order ${orderId}, its reservation ${status}: ${answer.message}`);
}
