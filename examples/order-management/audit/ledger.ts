import type { Books } from "./books.ts";
import type { Entry, Item } from "./records.ts";

/** The accounts of a stock code that goods move between; `returned` is a source: it counts what came out of it. */
export const ACCOUNTS = ["onHand", "reserved", "sold", "writtenOff", "returned"] as const;
export type Account = (typeof ACCOUNTS)[number];
export type Balances = Record<Account, number>;

/** What one unit of an entry does to the accounts. */
type Posting = Partial<Balances>;

/** Every kind of entry that the event log may hold. */
export const POSTINGS: ReadonlyMap<string, Posting> = new Map<string, Posting>([
  ["reserve", { onHand: -1, reserved: 1 }],
  ["release", { reserved: -1, onHand: 1 }],
  ["sell", { reserved: -1, sold: 1 }],
  ["refund", { sold: -1, onHand: 1 }],
  ["write-off", { reserved: -1, writtenOff: 1 }],
  ["return", { onHand: 1, returned: 1 }],
]);

/** What the stock codes hold by the opening stock and the event log alone. */
export function balancesOf({ opening, log }: Pick<Books, "opening" | "log">): Map<string, Balances> {
  const balances = new Map<string, Balances>();
  for (const [code, onHand] of opening) balances.set(code, { ...emptyBalances(), onHand });
  for (const entries of log.values()) {
    for (const entry of entries) post(balances, entry);
  }
  return balances;
}

/** On hand + reserved + sold + written off − (opening + returned): 0 in books that balance. */
export function imbalance({ opening, onHand, reserved, sold, writtenOff, returned }: Item): number {
  return onHand + reserved + sold + writtenOff - opening - returned;
}

export function emptyBalances(): Balances {
  return { onHand: 0, reserved: 0, sold: 0, writtenOff: 0, returned: 0 };
}

function post(balances: Map<string, Balances>, { code, kind, quantity }: Entry): void {
  const of = balances.get(code) ?? emptyBalances();
  for (const account of ACCOUNTS) of[account] += quantity * (POSTINGS.get(kind)?.[account] ?? 0);
  balances.set(code, of);
}
