import { z } from "zod";
import { identifierSchema } from "./identifier.ts";
import { releaseReasonSchema } from "./reservation.ts";
import { goodsCodeSchema, stockLinesSchema, unitsSchema } from "./stock-line.ts";

/** By stock code. */
const CODES_MAX = 50_000;

export const openingStockSchema = z.strictObject({
  items: z
    .record(goodsCodeSchema, unitsSchema)
    .refine((items) => Object.keys(items).length <= CODES_MAX, `at most ${CODES_MAX} codes at a time`),
});

/** `open`: fills the shelves of those codes that have no books yet; the others stay as they are. */
export type OpeningStock = z.infer<typeof openingStockSchema>;

export const openingAnswerSchema = z.strictObject({
  /** How many codes were asked for. */
  codes: z.int(),
  /** How many of them had no books yet. */
  opened: z.int(),
});
export type OpeningAnswer = z.infer<typeof openingAnswerSchema>;

export const reserveRequestSchema = z.strictObject({ reservationId: identifierSchema, lines: stockLinesSchema });

/** `reserve`: takes all of the goods or none. */
export type ReserveRequest = z.infer<typeof reserveRequestSchema>;

export const reserveAnswerSchema = z.strictObject({
  /**
   * `reserved` also when it has been committed since; `cancelled` and `expired` when it was released before or since;
   * `mismatched` when that id reserves other goods.
   */
  status: z.enum(["reserved", "refused", "cancelled", "expired", "mismatched"]),
  shortOf: z.string().optional(),
  /** Milliseconds since 1970. */
  expiresAt: z.int(),
});
export type ReserveAnswer = z.infer<typeof reserveAnswerSchema>;

export const commitRequestSchema = z.strictObject({
  reservationId: identifierSchema,
  orderId: identifierSchema,
  /** The goods of the order. */
  lines: stockLinesSchema,
});

/** `commit`: the goods of a reservation are sold with that order. */
export type CommitRequest = z.infer<typeof commitRequestSchema>;

/** How a commit ended; `mismatched`: the reservation holds other goods or was committed for another order. */
const commitStatusSchema = z.enum(["committed", "refused", "cancelled", "expired", "unknown", "mismatched"]);
export const commitAnswerSchema = z.strictObject({ status: commitStatusSchema });
export type CommitAnswer = z.infer<typeof commitAnswerSchema>;

export const releaseRequestSchema = z.strictObject({ reservationId: identifierSchema, reason: releaseReasonSchema });

/** `release`: gives the goods back unless they are sold already; also ends a reservation that is still to come. */
export type ReleaseRequest = z.infer<typeof releaseRequestSchema>;

export const releaseAnswerSchema = z.strictObject({
  /** How the reservation ended, whatever was asked for. */
  status: z.enum(["committed", "refused", "cancelled", "expired"]),
});
export type ReleaseAnswer = z.infer<typeof releaseAnswerSchema>;

/** `transfer` takes a `TransferRequest`. `mismatched`: that id has moved, or is moving, something else. */
export const transferAnswerSchema = z.strictObject({
  status: z.enum(["done", "refused", "mismatched"]),
  shortOf: z.string().optional(),
});
export type TransferAnswer = z.infer<typeof transferAnswerSchema>;

/** `availability`: what is known of one code. */
export const availabilityRequestSchema = z.strictObject({ code: goodsCodeSchema });

/** Null for a code without books. */
export const availabilityAnswerSchema = z.strictObject({
  item: z.strictObject({ code: goodsCodeSchema, onHand: z.int(), reserved: z.int() }).nullable(),
});
export type AvailabilityAnswer = z.infer<typeof availabilityAnswerSchema>;
