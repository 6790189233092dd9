import { z } from "zod";

/** Without lower bounds: it is the audit that must see what is below zero. */
export const stockItemSchema = z.strictObject({
  onHand: z.int(),
  /** The least that was ever on hand. */
  lowest: z.int(),
});

/** What the stock service keeps of each stock code, in units. */
export type StockItem = z.infer<typeof stockItemSchema>;

export const openingStockSchema = z.strictObject({ items: z.record(z.string(), z.int().nonnegative()) });

/** Units on hand before the first order; `items` is by stock code. */
export type OpeningStock = z.infer<typeof openingStockSchema>;

export const onHandSchema = z.strictObject({ code: z.string(), onHand: z.int().nullable() });

/** The stock service's answer for one code; null for a code it doesn't know. */
export type OnHand = z.infer<typeof onHandSchema>;

export const stockSummarySchema = z.strictObject({
  /** Steps that had to be taken again because another order had changed a record in between. */
  conflicts: z.int(),
  /** Orders of which an event was recorded. */
  announced: z.int(),
  /** Events that came again. */
  repeats: z.int(),
});

/** What the stock service counted since it started; the audit does not rely on it. */
export type StockSummary = z.infer<typeof stockSummarySchema>;
