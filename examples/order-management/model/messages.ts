import { z } from "zod";
import { identifierSchema } from "./identifier.ts";
import { stockLinesSchema } from "./stock-line.ts";

/** On `order-paid`. */
export const orderPaidSchema = z.strictObject({
  orderId: identifierSchema,
  /** The goods of the order. */
  lines: stockLinesSchema,
  /** Pounds. */
  value: z.number(),
});
export type OrderPaid = z.infer<typeof orderPaidSchema>;
