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
});
export type Item = z.infer<typeof itemSchema>;

const progress = {
  id: z.string(),
  lines: linesSchema,
  phase: z.string(),
  /** Entries that it has in the event log. */
  entries: z.int().nonnegative(),
  shortOf: z.string().optional(),
};

export const reservationSchema = z.object({
  ...progress,
  orderId: z.string().optional(),
  reason: z.string().optional(),
});
export type Reservation = z.infer<typeof reservationSchema>;

export const transferSchema = z.object({ ...progress, kind: z.string(), orderId: z.string().optional() });
export type Transfer = z.infer<typeof transferSchema>;

export const eventSchema = z.object({
  /** Key of the reservation or the transfer that it belongs to. */
  owner: z.string(),
  n: z.int().nonnegative(),
  kind: z.string(),
  lines: linesSchema,
  at: z.iso.datetime(),
});
/** An entry of the event log. */
export type Event = z.infer<typeof eventSchema>;

export const orderSchema = z.object({
  id: z.string(),
  status: z.string(),
  reservationId: z.string(),
  value: z.number(),
  invoice: z.object({ lines: z.array(z.object({ code, quantity: z.int(), unitPrice: z.number() })) }),
  cancelledBy: z.string().optional(),
});
export type Order = z.infer<typeof orderSchema>;

export const confirmationSchema = z.object({
  orderId: z.string(),
  reservationId: z.string(),
  lines: linesSchema,
  value: z.number(),
});
/** What left the system for a confirmed order. */
export type Confirmation = z.infer<typeof confirmationSchema>;

export const openingSchema = z.object({ items: z.record(code, z.int().nonnegative()) });

const lineOfJournal = { id: z.string(), at: z.iso.datetime() };
const answered = { status: z.int(), answer: z.unknown() };
const unanswered = { status: z.literal(0), error: z.string() };

function entry<Step extends string, Asked extends z.ZodType>(step: Step, asked: Asked) {
  const common = { ...lineOfJournal, step: z.literal(step), asked };
  return z.union([z.object({ ...common, ...unanswered }), z.object({ ...common, ...answered })]);
}

const goods = z.object({ lines: linesSchema });

/** A line of `replay.jsonl`: what was asked of the façade, and what it answered. */
export const journalSchema = z.union([
  entry("open", z.object({})),
  entry("reserve", goods),
  entry("cancel-reservation", z.object({})),
  entry("place", z.object({ reservationId: z.string(), lines: linesSchema, value: z.number() })),
  entry("cancel-order", z.object({ orderId: z.string(), lines: linesSchema })),
  entry("return", goods),
  entry("write-off", goods),
]);
export type JournalEntry = z.infer<typeof journalSchema>;
