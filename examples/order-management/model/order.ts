import { z } from "zod";
import { invoiceSchema } from "./invoice.ts";

const orderStatusSchema = z.enum(["placed", "rejected", "cancelled", "written-off"]);

/** How an order ended: `cancelled` took goods back, `written-off` wrote them off, `rejected` moved nothing. */
export type OrderStatus = z.infer<typeof orderStatusSchema>;

export const orderRecordSchema = z.strictObject({
  id: z.string(),
  status: orderStatusSchema,
  /** The stock code that was short, of a rejected order. */
  shortOf: z.string().optional(),
  /** Pounds. */
  value: z.number(),
  invoice: invoiceSchema,
});

/** What the façade keeps of each order. */
export type OrderRecord = z.infer<typeof orderRecordSchema>;

/** What the façade answers to a posted order. */
export const orderReceiptSchema = orderRecordSchema.omit({ invoice: true });
export type OrderReceipt = z.infer<typeof orderReceiptSchema>;

export const orderEventSchema = z.strictObject({
  orderId: z.string(),
  status: orderStatusSchema,
  value: z.number(),
});

/** What is published of each order, on the topic of its status. */
export type OrderEvent = z.infer<typeof orderEventSchema>;
