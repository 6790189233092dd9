import { z } from "zod";
import { identifierSchema } from "./identifier.ts";
import { stockLinesSchema } from "./stock-line.ts";

/**
 * `reserving` → `reserved` → `committing` → `committed`, or `reserved` → `releasing` → `released`. A shortage turns
 * `reserving` into `undoing` → `refused`; a release that meets `reserving` turns it into `undoing` → `released`.
 */
const reservationPhaseSchema = z.enum([
  "reserving",
  "reserved",
  "committing",
  "committed",
  "releasing",
  "released",
  "undoing",
  "refused",
]);
export type ReservationPhase = z.infer<typeof reservationPhaseSchema>;

/** The phases that nothing follows. */
export const RESERVATION_ENDS = ["committed", "released", "refused"] as const satisfies readonly ReservationPhase[];

export const releaseReasonSchema = z.enum(["cancelled", "expired"]);
export type ReleaseReason = z.infer<typeof releaseReasonSchema>;

export const reservationSchema = z.strictObject({
  id: identifierSchema,
  /** Empty also where a release came before the reservation itself: that is never reserved then. */
  lines: stockLinesSchema,
  phase: reservationPhaseSchema,
  /** Lines, from the first, that this phase has moved; in `undoing` those that are still to be given back. */
  moved: z.int().nonnegative(),
  /** Entries of the event log so far. */
  entries: z.int().nonnegative(),
  /** Milliseconds since 1970; from then on the reservation may be released. */
  expiresAt: z.int(),
  /** The order that committed it; from `committing` on. */
  orderId: identifierSchema.optional(),
  /** Of `releasing` and `released`, and of an `undoing` that leads there. */
  reason: releaseReasonSchema.optional(),
  /** The code that was short, of `refused` and of an `undoing` that leads there. */
  shortOf: z.string().optional(),
});

/** What the stock service keeps of a reservation, at `reservationKey(id)`: the only record of how far it has come. */
export type Reservation = z.infer<typeof reservationSchema>;
