import { z } from "zod";
import { orderPaidSchema } from "./messages.ts";

export const confirmationSchema = orderPaidSchema.extend({
  /** ISO 8601, UTC. */
  confirmedAt: z.iso.datetime(),
});

/** What goes out to the customer of a confirmed order: the file `confirmationFile(orderId)` of the output binding. */
export type Confirmation = z.infer<typeof confirmationSchema>;

export function confirmationFile(orderId: string): string {
  return `${orderId}.json`;
}
