import { z } from "zod";
import { stockLineSchema } from "./stock-line.ts";

/** Without lower bounds: it is the audit that must see what is below zero. */
export const stockItemSchema = z.strictObject({
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
});

/** The books of one stock code, in units: on hand + reserved + sold + written off = opening + returned, at any time. */
export type StockItem = z.infer<typeof stockItemSchema>;

/** The accounts that events move units between. */
export type Account = "onHand" | "reserved" | "sold" | "writtenOff" | "returned";

const stockEventKindSchema = z.enum([
  "reserve",
  "unreserve",
  "commit",
  "release",
  "return",
  "cancellation",
  "write-off",
  "undo-cancellation",
  "undo-write-off",
]);

/** Why units moved; `unreserve` and `undo-…` take back the first steps of what could not be completed. */
export type StockEventKind = z.infer<typeof stockEventKindSchema>;

/** What one unit of each kind of event changes. Both entries of a kind keep the balance: that is the double entry. */
export const POSTINGS = {
  reserve: { onHand: -1, reserved: 1 },
  unreserve: { onHand: 1, reserved: -1 },
  commit: { reserved: -1, sold: 1 },
  release: { reserved: -1, onHand: 1 },
  return: { returned: 1, onHand: 1 },
  cancellation: { sold: -1, onHand: 1 },
  "write-off": { onHand: -1, writtenOff: 1 },
  "undo-cancellation": { sold: 1, onHand: -1 },
  "undo-write-off": { onHand: 1, writtenOff: -1 },
} as const satisfies Record<StockEventKind, Readonly<Partial<Record<Account, 1 | -1>>>>;

export const stockEventSchema = z.strictObject({
  /** Key of the reservation or the transfer: `reservation:<id>`, `transfer:<id>`. */
  owner: z.string(),
  /** From 0 on, without a gap. */
  n: z.int().nonnegative(),
  kind: stockEventKindSchema,
  /** Never empty: a step that moves nothing writes no entry. */
  lines: z.array(stockLineSchema).min(1),
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
});

/** One entry of the event log, at `eventKey(owner, n)`: written in one transaction with what it tells of, never changed. */
export type StockEvent = z.infer<typeof stockEventSchema>;

/** The books of a code with nothing but what stands on its shelf. */
export function openItem(opening: number): StockItem {
  return { opening, onHand: opening, reserved: 0, sold: 0, writtenOff: 0, returned: 0, lowest: opening };
}

/** The books after an event of that many units; nothing is refused here. */
export function post(item: StockItem, kind: StockEventKind, quantity: number): StockItem {
  const change: Readonly<Partial<Record<Account, 1 | -1>>> = POSTINGS[kind];
  const after = { ...item };
  for (const account of ACCOUNTS) after[account] += (change[account] ?? 0) * quantity;
  after.lowest = Math.min(item.lowest, after.onHand);
  return after;
}

/** Whether no account is below zero. */
export function isCovered(item: StockItem): boolean {
  return ACCOUNTS.every((account) => item[account] >= 0);
}

/** Whether on hand + reserved + sold + written off = opening + returned. */
export function isBalanced({ opening, onHand, reserved, sold, writtenOff, returned }: StockItem): boolean {
  return onHand + reserved + sold + writtenOff === opening + returned;
}

const ACCOUNTS: readonly Account[] = ["onHand", "reserved", "sold", "writtenOff", "returned"];
