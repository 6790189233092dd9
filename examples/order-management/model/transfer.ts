import { z } from "zod";
import { identifierSchema } from "./identifier.ts";
import { stockLinesSchema } from "./stock-line.ts";

/**
 * `return`: goods come back without their order; `cancellation`: goods of a sold order come back; `write-off`: goods leave
 * the shelf without being sold.
 */
const transferKindSchema = z.enum(["return", "cancellation", "write-off"]);
export type TransferKind = z.infer<typeof transferKindSchema>;

/** `moving` → `done`; a shortage turns `moving` into `undoing` → `refused`. */
const transferPhaseSchema = z.enum(["moving", "undoing", "done", "refused"]);

export const transferRequestSchema = z.strictObject({
  id: identifierSchema,
  kind: transferKindSchema,
  lines: stockLinesSchema,
  /** The order that is cancelled. */
  orderId: identifierSchema.optional(),
});

export const transferSchema = transferRequestSchema.extend({
  phase: transferPhaseSchema,
  /** Lines, from the first, that have been moved; `undoing` counts down. */
  moved: z.int().nonnegative(),
  /** Entries of the event log so far. */
  entries: z.int().nonnegative(),
  /** The code that was short. */
  shortOf: z.string().optional(),
});

/** What the stock service keeps of a transfer, at `transferKey(id)`. */
export type Transfer = z.infer<typeof transferSchema>;

/** Asks for goods to be moved other than by an order. */
export type TransferRequest = z.infer<typeof transferRequestSchema>;
