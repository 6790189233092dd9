import { z } from "zod";

/*
 * What the audit takes from each record: its own reading of the stored format, so that a service that changes what it
 * writes has the audit against it.
 */

const units = z.int();
const code = z.string().min(1);
const lineSchema = z.object({ code, quantity: z.int().positive() });
const linesSchema = z.array(lineSchema);

/** Units of one stock code. */
export type Line = z.infer<typeof lineSchema>;

/** Without lower bounds: it is the audit that must see what is below zero. */
export const itemSchema = z.object({
  opening: units,
  onHand: units,
  reserved: units,
  sold: units,
  writtenOff: units,
  returned: units,
  /** The least that was ever on hand. */
  lowest: units,
  /** Entries that its movements have. */
  entries: z.int().nonnegative(),
});
/** The books of a stock code. */
export type Item = z.infer<typeof itemSchema>;

const entrySchema = z.object({
  n: z.int().nonnegative(),
  kind: z.string(),
  quantity: z.int().nonnegative(),
  at: z.iso.datetime(),
});
export const movementSchema = z.object({ entries: z.array(entrySchema) });

/** An entry of the event log: what one owner (`order:<id>`, `transfer:<id>`) has done to the units of one code. */
export type Entry = z.infer<typeof entrySchema> & { owner: string; code: string };

export const transferSchema = z.object({
  id: z.string(),
  kind: z.string(),
  lines: linesSchema,
  status: z.string(),
  shortOf: z.string().optional(),
});
export type Transfer = z.infer<typeof transferSchema>;

const invoiceSchema = z.object({
  id: z.string(),
  lines: z.array(z.object({ code, quantity: z.int(), unitPrice: z.number() })),
});

export const orderSchema = z.object({
  id: z.string(),
  status: z.string(),
  value: z.number(),
  /** Milliseconds since 1970. */
  expiresAt: z.int(),
  invoice: invoiceSchema,
  refund: invoiceSchema.optional(),
  refundedBy: z.string().optional(),
  shortOf: z.string().optional(),
  history: z.array(z.object({ status: z.string(), at: z.iso.datetime() })),
});
export type Order = z.infer<typeof orderSchema>;

export const confirmationSchema = z.object({
  orderId: z.string(),
  lines: linesSchema,
  value: z.number(),
});
/** What left the system for a confirmed order. */
export type Confirmation = z.infer<typeof confirmationSchema>;

export const openingSchema = z.object({ items: z.record(code, z.int().nonnegative()) });

const lineOfJournal = { id: z.string(), at: z.iso.datetime() };
const answered = { status: z.int(), answer: z.unknown() };
const unanswered = { status: z.literal(0), error: z.string() };

function line<Step extends string, Asked extends z.ZodType>(step: Step, asked: Asked) {
  const common = { ...lineOfJournal, step: z.literal(step), asked };
  return z.union([z.object({ ...common, ...unanswered }), z.object({ ...common, ...answered })]);
}

const goods = z.object({ lines: linesSchema });

/** A line of `replay.jsonl`: what was asked of the façade, and what it answered. */
export const journalSchema = z.union([
  line("open", z.object({})),
  line("place", z.object({ lines: linesSchema, value: z.number() })),
  line("pay", z.object({})),
  line("cancel", z.object({})),
  line("refund", z.object({ orderId: z.string(), lines: linesSchema })),
  line("return", goods),
  line("write-off", goods),
]);
export type JournalEntry = z.infer<typeof journalSchema>;
