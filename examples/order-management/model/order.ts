import { z } from "zod";
import { identifierSchema } from "./identifier.ts";
import { invoiceSchema } from "./invoice.ts";

/**
 * `placed` → `confirmed` (its goods are sold), `rejected` (there was no such reservation for it), `expired` or `cancelled`
 * (its reservation ended so); `confirmed` → `cancelled` (its goods came back).
 */
const orderStatusSchema = z.enum(["placed", "confirmed", "rejected", "expired", "cancelled"]);

/** How a placed order ends. */
export const conclusionSchema = z.enum(["confirmed", "rejected", "expired", "cancelled"]);
export type Conclusion = z.infer<typeof conclusionSchema>;

export const orderSummarySchema = z.strictObject({
  /** The number of its invoice. */
  id: identifierSchema,
  status: orderStatusSchema,
  reservationId: identifierSchema,
  /** Pounds. */
  value: z.number(),
  /**
   * Number of the invoice that takes the goods back. On a `confirmed` order it says that the cancellation has begun: no
   * other one can follow.
   */
  cancelledBy: identifierSchema.optional(),
});

/** An order without its invoice. */
export type OrderSummary = z.infer<typeof orderSummarySchema>;

export const orderRecordSchema = orderSummarySchema.extend({ invoice: invoiceSchema });

/** What the orders service keeps, at `orderKey(id)`. */
export type OrderRecord = z.infer<typeof orderRecordSchema>;

/** The record without its invoice. */
export function summaryOf({ invoice: _, ...summary }: OrderRecord): OrderSummary {
  return summary;
}
