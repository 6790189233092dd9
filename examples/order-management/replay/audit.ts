import { goodsOf, type Invoice, invoiceKind } from "../model/invoice.ts";
import type { Movement, StockLine } from "../model/movement.ts";
import { TOPIC_OF } from "../model/names.ts";
import type { OrderRecord, OrderStatus } from "../model/order.ts";
import type { OpeningStock, StockItem } from "../model/stock.ts";
import type { Replay } from "./channels.ts";

/** What the stores of both services hold after a replay. */
export interface Books {
  readonly orders: ReadonlyMap<string, OrderRecord>;
  readonly movements: ReadonlyMap<string, Movement>;
  /** By stock code. */
  readonly items: ReadonlyMap<string, StockItem>;
}

export interface Evidence {
  readonly invoices: readonly Invoice[];
  readonly opening: OpeningStock;
  readonly replay: Pick<Replay, "receipts" | "failures">;
  readonly books: Books;
}

/** One thing that must hold, of how many it was checked, and where it does not. */
export interface Check {
  readonly claim: string;
  readonly examined: number;
  readonly problems: readonly string[];
}

/** Checks the books after a replay, from what was posted, what was answered and what the stores hold, not from counters. */
export function audit(evidence: Evidence): Check[] {
  const { invoices, opening } = evidence;
  const codes = Object.keys(opening.items);
  return [
    check("every order was answered", invoices, (invoice) => answerProblem(invoice, evidence)),
    check("every order ended exactly once", invoices, (invoice) => endProblem(invoice, evidence)),
    check("every order's event arrived, and counted once", invoices, (invoice) => eventProblem(invoice, evidence)),
    check("no stock went below zero", codes, (code) => stockProblem(code, evidence)),
    balanceCheck(evidence),
  ];
}

function check<Thing>(claim: string, things: readonly Thing[], problem: (thing: Thing) => string | undefined): Check {
  const problems = things.map((thing) => problem(thing)).filter((text) => text !== undefined);
  return { claim, examined: things.length, problems };
}

function answerProblem({ id }: Invoice, { replay, books }: Evidence): string | undefined {
  const failure = replay.failures.get(id);
  if (failure !== undefined) return `${id}: failed: ${failure}`;
  const receipt = replay.receipts.get(id);
  if (receipt === undefined) return `${id}: no answer`;
  const kept = books.orders.get(id)?.status ?? "nothing";
  return receipt.status === kept ? undefined : `${id}: answered ${receipt.status}, kept ${kept}`;
}

/** How each kind of invoice may end. */
const ENDS = {
  order: ["placed", "rejected"],
  cancellation: ["cancelled"],
  "write-off": ["written-off", "rejected"],
} as const satisfies Record<ReturnType<typeof invoiceKind>, readonly OrderStatus[]>;

function endProblem(invoice: Invoice, { books }: Evidence): string | undefined {
  const { id } = invoice;
  const order = books.orders.get(id);
  const movement = books.movements.get(id);
  if (order === undefined) return `${id}: the façade has no such order`;
  if (movement === undefined) return `${id}: the stock service has no such order`;
  const ends: readonly OrderStatus[] = ENDS[invoiceKind(invoice)];
  if (!ends.includes(order.status)) return `${id}: ended as ${order.status}`;
  const rejected = order.status === "rejected";
  if (movement.phase !== (rejected ? "refused" : "done")) return `${id}: ${order.status}, its goods ${movement.phase}`;
  const due = rejected ? 0 : goodsOf(invoice).length;
  return movement.moved === due ? undefined : `${id}: ${order.status}, ${movement.moved} of ${due} lines moved`;
}

function eventProblem({ id }: Invoice, { books }: Evidence): string | undefined {
  const order = books.orders.get(id);
  const movement = books.movements.get(id);
  if (order === undefined || movement?.announcedOn === undefined) return `${id}: its event never arrived`;
  const topic = TOPIC_OF[order.status];
  return movement.announcedOn === topic ? undefined : `${id}: ${order.status}, but heard of on ${movement.announcedOn}`;
}

function stockProblem(code: string, { books }: Evidence): string | undefined {
  const item = books.items.get(code);
  if (item === undefined) return `${code}: the stock service has no such code`;
  const least = Math.min(item.onHand, item.lowest);
  return least < 0 ? `${code}: was at ${least}` : undefined;
}

/** On hand = opening − sold and written off + taken back, by what each order's lines say. */
function balanceCheck({ invoices, opening, books }: Evidence): Check {
  const due = new Map(Object.entries(opening.items));
  for (const invoice of invoices) {
    const status = books.orders.get(invoice.id)?.status;
    if (status === undefined || status === "rejected") continue;
    post(due, goodsOf(invoice), status === "cancelled" ? 1 : -1);
  }
  return check("on hand = opening − sold + returned − written off", [...due], ([code, units]) => {
    const actual = books.items.get(code)?.onHand ?? 0;
    return actual === units ? undefined : `${code}: ${actual} on hand instead of ${units}`;
  });
}

function post(due: Map<string, number>, lines: readonly StockLine[], sign: 1 | -1): void {
  for (const { code, quantity } of lines) due.set(code, (due.get(code) ?? 0) + sign * quantity);
}
