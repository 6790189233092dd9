import { answersAreInBooks, everythingAnswered, nothingUnasked } from "./answer-claims.ts";
import type { Books } from "./books.ts";
import type { Check } from "./check.ts";
import { goodsWentWithOrders, logIsWhole, transfersEndedOnce } from "./log-claims.ts";
import { confirmationsLeft, ordersEndedOnce } from "./order-claims.ts";
import { booksBalance, itemsAgreeWithLog, noNegativeStock } from "./stock-claims.ts";

/** Everything that must hold once the system has come to rest. */
const CLAIMS: readonly ((books: Books) => Check)[] = [
  everythingIsReadable,
  everythingAnswered,
  answersAreInBooks,
  nothingUnasked,
  noNegativeStock,
  logIsWhole,
  ordersEndedOnce,
  goodsWentWithOrders,
  transfersEndedOnce,
  confirmationsLeft,
  itemsAgreeWithLog,
  booksBalance,
];

export function audit(books: Books): Check[] {
  return CLAIMS.map((claim) => claim(books));
}

function everythingIsReadable({ unreadable, ...books }: Books): Check {
  const records = Object.values(books).reduce((sum, kept) => sum + ("size" in kept ? kept.size : kept.length), 0);
  return { claim: "every record can be read", examined: records + unreadable.length, problems: unreadable };
}

export function isGreen(checks: readonly Check[]): boolean {
  return checks.every(({ problems }) => problems.length === 0);
}
