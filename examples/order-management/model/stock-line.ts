import { z } from "zod";

/** Far above the largest invoice of the Online Retail data, which has 1,114 lines. */
export const LINES_MAX = 5_000;

/** Far above the largest quantity of the data, which is 80,995 units. */
const UNITS_MAX = 10_000_000;

/** Codes of goods are five digits and perhaps letters; `POST`, `D`, `BANK CHARGES` and their like are money only. */
const GOODS_CODE = /^\d{5}[A-Z]{0,8}$/;

/** Whether a code, in upper case, stands for something that lies on a shelf. */
export function isGoodsCode(code: string): boolean {
  return GOODS_CODE.test(code);
}

export const goodsCodeSchema = z
  .string()
  .regex(GOODS_CODE, "a stock code is five digits, perhaps with capital letters behind");

/** Units from 0 on. */
export const unitsSchema = z.int().nonnegative().max(UNITS_MAX);

export const stockLineSchema = z.strictObject({
  code: goodsCodeSchema,
  quantity: z.int().positive().max(UNITS_MAX),
});

/** Units of one stock code. */
export type StockLine = z.infer<typeof stockLineSchema>;

/** Empty where an invoice has no goods, only money. */
export const stockLinesSchema = z
  .array(stockLineSchema)
  .max(LINES_MAX)
  .refine((lines) => new Set(lines.map(({ code }) => code)).size === lines.length, "a code stands in one line only");

/** Whether two lists name the same units of the same codes, in the same order. */
export function isSameLines(one: readonly StockLine[], other: readonly StockLine[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ code, quantity }, at) => other[at]?.code === code && other[at].quantity === quantity)
  );
}

/** Whether `part` asks for no more of any code than `whole` holds. */
export function isPartOf(part: readonly StockLine[], whole: readonly StockLine[]): boolean {
  const held = new Map(whole.map(({ code, quantity }) => [code, quantity]));
  return part.every(({ code, quantity }) => quantity <= (held.get(code) ?? 0));
}
