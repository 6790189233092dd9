import { z } from "zod";
import { identifierSchema } from "./identifier.ts";
import { stockLinesSchema } from "./stock-line.ts";

export const transferRequestSchema = z.strictObject({
  /** `return`: goods come back without their order; `write-off`: goods leave the shelf without being sold. */
  kind: z.enum(["return", "write-off"]),
  lines: stockLinesSchema,
});

/** `move`: moves goods other than by an order, all of them or none. */
export type TransferRequest = z.infer<typeof transferRequestSchema>;

export const transferSchema = transferRequestSchema.extend({
  /** The number of its invoice. */
  id: identifierSchema,
  /** A return: `moving` → `done`. A write-off: `reserving` → `moving` → `done`, or `releasing` → `refused`. */
  status: z.enum(["reserving", "moving", "releasing", "done", "refused"]),
  /** The code that was short. */
  shortOf: z.string().optional(),
});

/** What a transfer actor keeps. */
export type Transfer = z.infer<typeof transferSchema>;

/** `mismatched`: that id has moved, or is moving, something else. */
export const transferAnswerSchema = z.strictObject({
  status: z.enum(["done", "refused", "mismatched"]),
  shortOf: z.string().optional(),
});
export type TransferAnswer = z.infer<typeof transferAnswerSchema>;

/** What a transfer actor can be asked. */
export interface TransferCommands {
  move(request: TransferRequest): Promise<TransferAnswer>;
}
