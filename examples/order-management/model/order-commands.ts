import { z } from "zod";
import { invoiceSchema } from "./invoice.ts";
import { orderRecordSchema, orderSummarySchema } from "./order.ts";

export const placeRequestSchema = z.strictObject({ invoice: invoiceSchema });

/** `place`: keeps the order and reserves its goods, all of them or none. */
export type PlaceRequest = z.infer<typeof placeRequestSchema>;

export const refundRequestSchema = z.strictObject({ invoice: invoiceSchema });

/** `refund`: the goods of that invoice, part of the order or all of it, come back. */
export type RefundRequest = z.infer<typeof refundRequestSchema>;

/** Why an order does not do as it is asked; asking again only helps with `not-confirmed-yet`. */
export const orderRefusalSchema = z.enum([
  "order-not-found",
  "order-taken",
  "order-ended",
  "not-an-order",
  "not-a-refund",
  "not-confirmed-yet",
  "not-sold",
  "not-its-goods",
  "already-paid",
  "already-refunded",
]);
export type OrderRefusal = z.infer<typeof orderRefusalSchema>;

export const refusedSchema = z.strictObject({ refusal: orderRefusalSchema, message: z.string() });

/** Why not, with a sentence for a person. */
export type Refused = z.infer<typeof refusedSchema>;

/** Answer of all but `find`: the order as it is now, or why not. */
export const orderAnswerSchema = z.union([z.strictObject({ order: orderSummarySchema }), refusedSchema]);
export type OrderAnswer = z.infer<typeof orderAnswerSchema>;

/** Answer of `find`; null for an order that was never placed. */
export const findAnswerSchema = z.strictObject({ order: orderRecordSchema.nullable() });
export type FindAnswer = z.infer<typeof findAnswerSchema>;

/** What an order actor can be asked; everything may be asked again, and changes nothing the second time. */
export interface OrderCommands {
  place(request: PlaceRequest): Promise<OrderAnswer>;
  /** The customer has paid: from now on nothing but a refund can take the goods back. */
  pay(request: object): Promise<OrderAnswer>;
  /** The confirmation has left: the goods are sold. */
  confirm(request: object): Promise<OrderAnswer>;
  cancel(request: object): Promise<OrderAnswer>;
  refund(request: RefundRequest): Promise<OrderAnswer>;
  find(request: object): Promise<FindAnswer>;
}
