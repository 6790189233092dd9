import { z } from "zod";
import { identifierSchema } from "./identifier.ts";
import { invoiceSchema } from "./invoice.ts";
import { conclusionSchema, orderRecordSchema, orderSummarySchema } from "./order.ts";

export const placeRequestSchema = z.strictObject({ invoice: invoiceSchema, reservationId: identifierSchema });

/** `place`: keeps an order and tells of it; again while it is still `placed`, in case that nobody heard. */
export type PlaceRequest = z.infer<typeof placeRequestSchema>;

/** `find`: one order. */
export const findRequestSchema = z.strictObject({ id: identifierSchema });

/** Null for an order that was never placed. */
export const findAnswerSchema = z.strictObject({ order: orderRecordSchema.nullable() });
export type FindAnswer = z.infer<typeof findAnswerSchema>;

export const concludeRequestSchema = z.strictObject({ id: identifierSchema, status: conclusionSchema });

/** `conclude`: how a placed order ended. */
export type ConcludeRequest = z.infer<typeof concludeRequestSchema>;

export const cancelRequestSchema = z.strictObject({ id: identifierSchema, invoice: invoiceSchema });

/** `cancel`: the goods of that invoice, part of the order or all of it, come back. */
export type CancelRequest = z.infer<typeof cancelRequestSchema>;

/** Why the orders service does not do as it is asked; asking again only helps with `not-confirmed-yet`. */
export const orderRefusalSchema = z.enum([
  "order-not-found",
  "order-taken",
  "not-an-order",
  "not-a-cancellation",
  "not-confirmed-yet",
  "not-sold",
  "not-its-goods",
  "already-cancelled",
  "already-concluded",
  "id-taken",
]);
export type OrderRefusal = z.infer<typeof orderRefusalSchema>;

/** Answer of `place`, `conclude` and `cancel`: the order as it is now, or why not, with a sentence for a person. */
export const orderAnswerSchema = z.union([
  z.strictObject({ order: orderSummarySchema }),
  z.strictObject({ refusal: orderRefusalSchema, message: z.string() }),
]);
export type OrderAnswer = z.infer<typeof orderAnswerSchema>;
