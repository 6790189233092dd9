import type { Books } from "./books.ts";
import { check, type Check } from "./check.ts";
import { type Account, ACCOUNTS, type Balances, balancesOf, emptyBalances, imbalance } from "./ledger.ts";
import { unitsOf } from "./lines.ts";
import type { Line } from "./records.ts";

/** The answer to what was done. */
const OK = 200;

export function noNegativeStock({ items }: Books): Check {
  return check("no stock was ever below zero", items, ([code, item]) => {
    if (Math.min(item.lowest, item.onHand) < 0) return `${code}: was at ${Math.min(item.lowest, item.onHand)}`;
    const below = ACCOUNTS.find((account) => item[account] < 0);
    return below === undefined ? undefined : `${code}: ${below} is ${item[below]}`;
  });
}

/** What the services' records say must be what the log says; they are written together, but by the services. */
export function itemsAgreeWithLog(books: Books): Check {
  const due = balancesOf(books);
  const codes = new Set([...due.keys(), ...books.items.keys()]);
  return check("every item is what opening stock and event log make of it", codes, (code) => {
    const item = books.items.get(code);
    if (item === undefined) return `${code}: no such item`;
    const opening = books.opening.get(code) ?? 0;
    if (item.opening !== opening) return `${code}: opened with ${item.opening} instead of ${opening}`;
    const expected = due.get(code) ?? emptyBalances();
    const wrong = ACCOUNTS.filter((account) => item[account] !== expected[account]);
    if (wrong.length === 0) return undefined;
    return `${code}: ${wrong.map((account) => `${account} ${item[account]} instead of ${expected[account]}`).join(", ")}`;
  });
}

/** Twice: by the item alone, and by what stands on the shelf against what the world outside has seen. */
export function booksBalance(books: Books): Check {
  const outside = seenOutside(books);
  return check("on hand + reserved + sold + written off = opening + returned", books.items, ([code, item]) => {
    const { sold = 0, writtenOff = 0, returned = 0 } = outside.get(code) ?? {};
    const opening = books.opening.get(code) ?? 0;
    const off = imbalance(item) || imbalance({ ...item, opening, sold, writtenOff, returned });
    return off === 0 ? undefined : `${code}: ${Math.abs(off)} units too ${off > 0 ? "many" : "few"}`;
  });
}

/** What was sold by the confirmations, and what was taken back and written off by the answers. */
function seenOutside({ confirmations, journal }: Books): Map<string, Partial<Balances>> {
  const seen = new Map<string, Partial<Balances>>();
  const count = (account: Account, lines: readonly Line[], factor: 1 | -1 = 1): void => {
    for (const [code, units] of unitsOf(lines)) {
      const of = seen.get(code) ?? {};
      seen.set(code, { ...of, [account]: (of[account] ?? 0) + factor * units });
    }
  };
  for (const { lines } of confirmations.values()) count("sold", lines);
  for (const entry of journal) {
    if (entry.status !== OK) continue;
    if (entry.step === "refund") count("sold", entry.asked.lines, -1);
    if (entry.step === "return") count("returned", entry.asked.lines);
    if (entry.step === "write-off") count("writtenOff", entry.asked.lines);
  }
  return seen;
}
