import { goodsOf, type Invoice, invoiceKind } from "../model/invoice.ts";
import type { OpeningStock } from "../model/stock.ts";
import { seededRandom } from "./seeded-random.ts";

/** How many codes are short, for each order that is replayed. */
const SHORT_CODES_PER_ORDER = 0.04;

interface Demand {
  units: number;
  orders: number;
  /** Whether goods also move in other ways, which could hide a shortage. */
  onlySold: boolean;
}

/**
 * What stands on the shelves before the first of these invoices: exactly what they take, except for some codes, drawn
 * with the seed, of which one unit is missing: the last order for such a code is rejected, unless the rejection of
 * another order has left goods for it. That rejects 1 to 4 % of all orders.
 */
export function openingStockFor(invoices: readonly Invoice[], seed: number): OpeningStock {
  const demand = demandOf(invoices);
  const orders = invoices.filter((invoice) => invoiceKind(invoice) === "order").length;
  const candidates = [...demand].filter(([, { onlySold, orders: buyers }]) => onlySold && buyers > 1);
  const short = draw(
    candidates.map(([code]) => code).sort(),
    Math.max(1, Math.round(orders * SHORT_CODES_PER_ORDER)),
    seededRandom(seed),
  );
  const items = [...demand].map(([code, { units }]) => [code, short.has(code) ? units - 1 : units] as const);
  return { items: Object.fromEntries(items) };
}

function demandOf(invoices: readonly Invoice[]): Map<string, Demand> {
  const demand = new Map<string, Demand>();
  for (const invoice of invoices) {
    const kind = invoiceKind(invoice);
    for (const { code, quantity } of goodsOf(invoice)) {
      const entry = demand.get(code) ?? { units: 0, orders: 0, onlySold: true };
      if (kind !== "cancellation") entry.units += quantity;
      if (kind === "order") entry.orders++;
      else entry.onlySold = false;
      demand.set(code, entry);
    }
  }
  return demand;
}

function draw(codes: string[], count: number, random: () => number): Set<string> {
  const drawn = new Set<string>();
  while (drawn.size < count && codes.length > 0) {
    for (const code of codes.splice(Math.floor(random() * codes.length), 1)) drawn.add(code);
  }
  return drawn;
}
