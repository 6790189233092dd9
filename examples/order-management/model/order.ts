import { z } from "zod";
import { identifierSchema } from "./identifier.ts";
import { invoiceSchema } from "./invoice.ts";

/**
 * `placed` → `reserved` → `paid` → `confirmed` → `refunding` → `refunded`. Where too little is on hand, `placed` →
 * `rejecting` → `rejected`; unpaid, `placed` or `reserved` → `cancelling` → `cancelled` by the customer, or `expiring` →
 * `expired` by the reminder. In `placed` and what ends with -ing, goods are on the move.
 */
export const orderStatusSchema = z.enum([
  "placed",
  "reserved",
  "paid",
  "confirmed",
  "refunding",
  "refunded",
  "rejecting",
  "rejected",
  "cancelling",
  "cancelled",
  "expiring",
  "expired",
]);
export type OrderStatus = z.infer<typeof orderStatusSchema>;

export const orderSummarySchema = z.strictObject({
  /** The number of its invoice. */
  id: identifierSchema,
  status: orderStatusSchema,
  /** Pounds. */
  value: z.number(),
  /** Milliseconds since 1970: the goods of an unpaid order go back to the shelves then. */
  expiresAt: z.int(),
  /** The code that was short; of an order that is rejected. */
  shortOf: z.string().optional(),
  /** Number of the invoice that takes goods back; from `refunding` on. */
  refundedBy: identifierSchema.optional(),
});

/** An order without its invoice. */
export type OrderSummary = z.infer<typeof orderSummarySchema>;

export const orderRecordSchema = orderSummarySchema.extend({
  invoice: invoiceSchema,
  /** The invoice that takes goods back. */
  refund: invoiceSchema.optional(),
  /** Every status that it has had, the present one last; times in ISO 8601, UTC. */
  history: z.array(z.strictObject({ status: orderStatusSchema, at: z.iso.datetime() })),
});

/** What an order actor keeps. */
export type OrderRecord = z.infer<typeof orderRecordSchema>;

/** The record without its invoices and its history. */
export function summaryOf({ invoice: _, refund: __, history: ___, ...summary }: OrderRecord): OrderSummary {
  return summary;
}
