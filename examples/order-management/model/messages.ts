import { z } from "zod";
import { identifierSchema } from "./identifier.ts";
import { stockLinesSchema } from "./stock-line.ts";

/** On `reservation-requested`, before any goods are taken. */
export const reservationRequestedSchema = z.strictObject({
  reservationId: identifierSchema,
  /** Milliseconds since 1970. */
  expiresAt: z.int().nonnegative(),
});
export type ReservationRequested = z.infer<typeof reservationRequestedSchema>;

/** On `reservation-cancelled`: the customer has thought better of it. */
export const reservationCancelledSchema = z.strictObject({ reservationId: identifierSchema });
export type ReservationCancelled = z.infer<typeof reservationCancelledSchema>;

/** On `order-placed`. */
export const orderPlacedSchema = z.strictObject({
  orderId: identifierSchema,
  reservationId: identifierSchema,
  /** The goods of the order. */
  lines: stockLinesSchema,
  /** Pounds. */
  value: z.number(),
});
export type OrderPlaced = z.infer<typeof orderPlacedSchema>;
