import { z } from "zod";
import { movementKindSchema } from "./books.ts";
import { goodsCodeSchema, unitsSchema } from "./stock-line.ts";

/** By stock code. */
const CODES_MAX = 50_000;

export const openingStockSchema = z.strictObject({
  items: z
    .record(goodsCodeSchema, unitsSchema)
    .refine((items) => Object.keys(items).length <= CODES_MAX, `at most ${CODES_MAX} codes at a time`),
});

/** The method `open` of the service: fills the shelves of those codes that have no books yet; the others stay. */
export type OpeningStock = z.infer<typeof openingStockSchema>;

export const openingAnswerSchema = z.strictObject({
  /** How many codes were asked for. */
  codes: z.int(),
  /** How many of them had no books yet. */
  opened: z.int(),
});
export type OpeningAnswer = z.infer<typeof openingAnswerSchema>;

export const openRequestSchema = z.strictObject({ units: unitsSchema });

/** `open`: fills the shelf, unless the code has books. */
export type OpenRequest = z.infer<typeof openRequestSchema>;

export const openAnswerSchema = z.strictObject({ opened: z.boolean() });
export type OpenAnswer = z.infer<typeof openAnswerSchema>;

export const moveRequestSchema = z.strictObject({
  /** `orderOwner(id)` or `transferOwner(id)`; with the kind, it names the operation: each is done once. */
  owner: z.string().min(1).max(80),
  kind: movementKindSchema,
  /** Units. */
  quantity: unitsSchema,
});

/** `move`: units of this code go from one account to another. */
export type MoveRequest = z.infer<typeof moveRequestSchema>;

/** `refused`: there is too little, or the owner has given the goods up already. */
export const moveAnswerSchema = z.strictObject({ status: z.enum(["done", "refused"]) });
export type MoveAnswer = z.infer<typeof moveAnswerSchema>;

/** `availability`: what is known of one code; null for a code without books. */
export const availabilityAnswerSchema = z.strictObject({
  item: z.strictObject({ code: goodsCodeSchema, onHand: z.int(), reserved: z.int() }).nullable(),
});
export type AvailabilityAnswer = z.infer<typeof availabilityAnswerSchema>;

/** What a stock actor can be asked. It calls no other actor: whoever calls it waits for it alone. */
export interface StockCommands {
  open(request: OpenRequest): Promise<OpenAnswer>;
  move(request: MoveRequest): Promise<MoveAnswer>;
  availability(request: object): Promise<AvailabilityAnswer>;
}
