import type { Books } from "./books.ts";
import type { Event, Item } from "./records.ts";

/** The accounts of a stock code that goods move between; `returned` is a source: it counts what came out of it. */
export const ACCOUNTS = ["onHand", "reserved", "sold", "writtenOff", "returned"] as const;
export type Account = (typeof ACCOUNTS)[number];
export type Balances = Record<Account, number>;

/** What one unit of an entry does to the accounts. */
type Posting = Partial<Balances>;

const TAKE: Posting = { onHand: -1, reserved: 1 };
const SELL: Posting = { reserved: -1, sold: 1 };
const TAKE_BACK: Posting = { onHand: 1, returned: 1 };
const UNSELL: Posting = { sold: -1, onHand: 1 };
const WRITE_OFF: Posting = { onHand: -1, writtenOff: 1 };

/** Every kind of entry that the event log may hold. */
export const POSTINGS: ReadonlyMap<string, Posting> = new Map([
  ["reserve", TAKE],
  ["unreserve", reversed(TAKE)],
  ["release", reversed(TAKE)],
  ["commit", SELL],
  ["return", TAKE_BACK],
  ["cancellation", UNSELL],
  ["undo-cancellation", reversed(UNSELL)],
  ["write-off", WRITE_OFF],
  ["undo-write-off", reversed(WRITE_OFF)],
]);

/** What the stock codes hold by the opening stock and the event log alone. */
export function balancesOf({ opening, events }: Pick<Books, "opening" | "events">): Map<string, Balances> {
  const balances = new Map<string, Balances>();
  for (const [code, onHand] of opening) balances.set(code, { ...emptyBalances(), onHand });
  for (const entries of events.values()) {
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

function post(balances: Map<string, Balances>, { kind, lines }: Event): void {
  for (const { code, quantity } of lines) {
    const of = balances.get(code) ?? emptyBalances();
    for (const account of ACCOUNTS) of[account] += quantity * (POSTINGS.get(kind)?.[account] ?? 0);
    balances.set(code, of);
  }
}

function reversed(posting: Posting): Posting {
  return Object.fromEntries(Object.entries(posting).map(([account, factor]) => [account, -factor]));
}
