import { type Confirmation, confirmationFile } from "../model/confirmation.ts";
import type { OrderPaid } from "../model/messages.ts";
import type { OrderAnswer } from "../model/order-commands.ts";

export interface ConfirmOptions {
  /** Sends the confirmation to the customer; the same file again replaces the first one. */
  readonly send: (file: string, confirmation: Confirmation) => Promise<void>;
  /** Tells the order that its confirmation has left. */
  readonly confirm: (orderId: string) => Promise<OrderAnswer>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Confirms a paid order to the customer and then to the order itself, in this sequence: an order that is `confirmed` has
 * been confirmed. May be done any number of times, and be cut off anywhere.
 */
export async function confirm(order: OrderPaid, { send, confirm: tell, now }: ConfirmOptions): Promise<void> {
  const { orderId } = order;
  await send(confirmationFile(orderId), { ...order, confirmedAt: new Date(now()).toISOString() });
  const answer = await tell(orderId);
  if ("refusal" in answer) throw new Error(`order ${orderId}: ${answer.message}`);
}
