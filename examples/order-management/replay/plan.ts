import { goodsOf, type Invoice, invoiceKind } from "../model/invoice.ts";
import { isPartOf } from "../model/stock-line.ts";
import { seededRandom } from "./seeded-random.ts";

/** Of the orders, how many the customer cancels instead of paying, and how many nobody pays. */
const CANCELLED_SHARE = 0.03;
const ABANDONED_SHARE = 0.06;

/** What becomes of an order once its goods are reserved, if they can be. */
export type Fate = "paid" | "cancelled" | "abandoned";

/** What is to be done with one invoice. */
export type Task =
  | { readonly kind: "order"; readonly invoice: Invoice; readonly fate: Fate }
  /** Takes goods of an order back that is among the tasks before it. */
  | { readonly kind: "refund"; readonly invoice: Invoice; readonly orderId: string }
  | { readonly kind: "return"; readonly invoice: Invoice }
  | { readonly kind: "write-off"; readonly invoice: Invoice };

/** Says of every invoice what is to be done with it, in the same order and always the same for a seed. */
export function planFor(invoices: readonly Invoice[], seed: number): Task[] {
  const orderOf = matchCancellations(invoices);
  const fates = drawFates(invoices, new Set(orderOf.values()), seed);
  return invoices.map((invoice) => {
    const kind = invoiceKind(invoice);
    if (kind === "order") return { kind, invoice, fate: fates.get(invoice.id) ?? "paid" };
    if (kind === "write-off") return { kind, invoice };
    const orderId = orderOf.get(invoice.id);
    return orderId === undefined ? { kind: "return", invoice } : { kind: "refund", invoice, orderId };
  });
}

/**
 * The orders that cancellations refund, by the cancellation's number. The data does not say it; an order belongs to a
 * cancellation when the same customer placed it before and it holds all of its goods. Of several, it is the last that no
 * other cancellation has taken.
 */
function matchCancellations(invoices: readonly Invoice[]): Map<string, string> {
  const orderOf = new Map<string, string>();
  const taken = new Set<string>();
  const ordersOf = new Map<string, Invoice[]>();
  for (const invoice of invoices) {
    const earlier = ordersOf.get(invoice.customer) ?? [];
    if (invoiceKind(invoice) === "order") ordersOf.set(invoice.customer, [...earlier, invoice]);
    if (invoiceKind(invoice) !== "cancellation" || invoice.customer === "") continue;
    const goods = goodsOf(invoice);
    if (goods.length === 0) continue;
    const order = earlier.findLast((one) => !taken.has(one.id) && isPartOf(goods, goodsOf(one)));
    if (order === undefined) continue;
    taken.add(order.id);
    orderOf.set(invoice.id, order.id);
  }
  return orderOf;
}

/** Abandoned orders are drawn from the first half, so that the end need not wait for the last of them to expire. */
function drawFates(invoices: readonly Invoice[], kept: ReadonlySet<string>, seed: number): Map<string, Fate> {
  const orders = invoices.filter((invoice) => invoiceKind(invoice) === "order");
  const random = seededRandom(seed);
  const fates = new Map<string, Fate>();
  const draw = (fate: Fate, share: number, from: readonly Invoice[]): void => {
    const left = from
      .filter((invoice) => !kept.has(invoice.id) && !fates.has(invoice.id) && goodsOf(invoice).length > 0)
      .map(({ id }) => id);
    for (let count = Math.ceil(orders.length * share); count > 0 && left.length > 0; count--) {
      for (const id of left.splice(Math.floor(random() * left.length), 1)) fates.set(id, fate);
    }
  };
  draw("abandoned", ABANDONED_SHARE, orders.slice(0, Math.ceil(orders.length / 2)));
  draw("cancelled", CANCELLED_SHARE, orders);
  return fates;
}
