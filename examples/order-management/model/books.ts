import { z } from "zod";

/** Without lower bounds: it is the audit that must see what is below zero. */
export const stockBooksSchema = z.strictObject({
  /** What stood on the shelf before the first order. */
  opening: z.int(),
  onHand: z.int(),
  /** Taken for orders that are not confirmed yet. */
  reserved: z.int(),
  sold: z.int(),
  writtenOff: z.int(),
  /** What came back without its order: a source, like `opening`. */
  returned: z.int(),
  /** The least that was ever on hand. */
  lowest: z.int(),
  /** How many entries the movements of this code have, all together. */
  entries: z.int().nonnegative(),
});

/** The books of one stock code, in units: on hand + reserved + sold + written off = opening + returned, at any time. */
export type StockBooks = z.infer<typeof stockBooksSchema>;

/** The accounts that entries move units between. */
export type Account = "onHand" | "reserved" | "sold" | "writtenOff" | "returned";

/** Why units move. */
export const movementKindSchema = z.enum(["reserve", "release", "sell", "refund", "write-off", "return"]);
export type MovementKind = z.infer<typeof movementKindSchema>;

/** What one unit of each kind changes. Both sides of a kind keep the balance: that is the double entry. */
export const POSTINGS = {
  reserve: { onHand: -1, reserved: 1 },
  release: { reserved: -1, onHand: 1 },
  sell: { reserved: -1, sold: 1 },
  refund: { sold: -1, onHand: 1 },
  "write-off": { reserved: -1, writtenOff: 1 },
  return: { returned: 1, onHand: 1 },
} as const satisfies Record<MovementKind, Readonly<Partial<Record<Account, 1 | -1>>>>;

const entrySchema = z.strictObject({
  /** The number of this entry among all of its stock code, from 0 on. */
  n: z.int().nonnegative(),
  kind: movementKindSchema,
  /** Units; 0 for a release of what was never reserved, which keeps it from being reserved later. */
  quantity: z.int().nonnegative(),
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
});

export const movementSchema = z.strictObject({ entries: z.array(entrySchema) });

/** What one owner (an order, a transfer) has done to the units of one code, each kind once: its part of the event log. */
export type Movement = z.infer<typeof movementSchema>;

/** The books of a code with nothing but what stands on its shelf. */
export function openBooks(opening: number): StockBooks {
  return { opening, onHand: opening, reserved: 0, sold: 0, writtenOff: 0, returned: 0, lowest: opening, entries: 0 };
}

/** The books after an entry of that many units; nothing is refused here. */
export function post(books: StockBooks, kind: MovementKind, quantity: number): StockBooks {
  const change: Readonly<Partial<Record<Account, 1 | -1>>> = POSTINGS[kind];
  const after = { ...books, entries: books.entries + 1 };
  for (const account of ACCOUNTS) after[account] += (change[account] ?? 0) * quantity;
  after.lowest = Math.min(books.lowest, after.onHand);
  return after;
}

/** Whether no account is below zero. */
export function isCovered(books: StockBooks): boolean {
  return ACCOUNTS.every((account) => books[account] >= 0);
}

/** Whether on hand + reserved + sold + written off = opening + returned. */
export function isBalanced({ opening, onHand, reserved, sold, writtenOff, returned }: StockBooks): boolean {
  return onHand + reserved + sold + writtenOff === opening + returned;
}

const ACCOUNTS: readonly Account[] = ["onHand", "reserved", "sold", "writtenOff", "returned"];
