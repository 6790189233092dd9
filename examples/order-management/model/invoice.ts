import { z } from "zod";
import { isGoodsCode, LINES_MAX, type StockLine } from "./stock-line.ts";

const invoiceLineSchema = z.strictObject({
  /** Upper case: the data spells some codes both ways. */
  code: z.string().min(1).max(32).toUpperCase(),
  /** Often empty. */
  description: z.string().max(200),
  /** Units; negative where goods come back or are written off. */
  quantity: z.int().refine((quantity) => quantity !== 0, "a line moves at least one unit"),
  /** Pounds; zero for gifts and write-offs. */
  unitPrice: z.number(),
});

const invoiceFieldsSchema = z.strictObject({
  id: z.string().regex(/^[A-Z]?\d{1,12}$/, "an invoice number is digits, after a letter for corrections"),
  /** Local time of the till, `YYYY-MM-DD hh:mm:ss`. */
  placedAt: z.string(),
  /** Empty for sales over the counter. */
  customer: z.string(),
  country: z.string(),
  lines: z.array(invoiceLineSchema).min(1).max(LINES_MAX),
});

/** What a till writes: an order, a cancellation or a write-off, told apart by `invoiceKind`. */
export type Invoice = z.infer<typeof invoiceFieldsSchema>;

export const invoiceSchema = invoiceFieldsSchema.refine(
  hasOneDirection,
  "an invoice either sells or takes back or writes off, never two of these",
);

export type InvoiceKind = "order" | "cancellation" | "write-off";

/** Cancellations have a number that begins with C; negative quantities outside of them are write-offs. */
export function invoiceKind(invoice: Pick<Invoice, "id" | "lines">): InvoiceKind {
  if (invoice.id.startsWith("C")) return "cancellation";
  return invoice.lines.some((line) => line.quantity < 0) ? "write-off" : "order";
}

/** The goods that an invoice moves, in units above zero: one line per code, in the order of the codes. */
export function goodsOf(invoice: Pick<Invoice, "lines">): StockLine[] {
  const units = new Map<string, number>();
  for (const { code, quantity } of invoice.lines) {
    if (isGoodsCode(code)) units.set(code, (units.get(code) ?? 0) + Math.abs(quantity));
  }
  return [...units].map(([code, quantity]) => ({ code, quantity })).sort((a, b) => (a.code < b.code ? -1 : 1));
}

/** Pounds, rounded to pence; negative for cancellations. */
export function valueOf(invoice: Pick<Invoice, "lines">): number {
  const pounds = invoice.lines.reduce((sum, line) => sum + line.quantity * line.unitPrice, 0);
  return Math.round(pounds * 100) / 100;
}

function hasOneDirection(invoice: Pick<Invoice, "id" | "lines">): boolean {
  const negatives = invoice.lines.filter((line) => line.quantity < 0).length;
  if (invoice.id.startsWith("C")) return negatives === invoice.lines.length;
  return negatives === 0 || negatives === invoice.lines.length;
}
