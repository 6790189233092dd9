import type { Books } from "./books.ts";
import { check, type Check } from "./check.ts";
import { isSameLines } from "./lines.ts";
import type { Confirmation, Line, Order } from "./records.ts";

/** Codes of goods are five digits and perhaps letters; what else stands on an invoice is money only. */
const GOODS_CODE = /^\d{5}[A-Z]{0,8}$/;

/** Which status may follow which; an order begins with `placed`. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  placed: ["reserved", "rejecting"],
  reserved: ["paid", "cancelling", "expiring"],
  paid: ["confirmed"],
  confirmed: ["refunding"],
  refunding: ["refunded"],
  rejecting: ["rejected"],
  cancelling: ["cancelled"],
  expiring: ["expired"],
};
const ENDS: readonly string[] = ["confirmed", "refunded", "rejected", "cancelled", "expired"];

/** The goods on an invoice, in units above zero. */
export function goodsOf({ lines }: Order["invoice"]): Line[] {
  return lines
    .filter(({ code }) => GOODS_CODE.test(code))
    .map(({ code, quantity }) => ({ code, quantity: Math.abs(quantity) }));
}

/** Confirmed, or refunded after that: its goods were sold. */
export function wasConfirmed({ status }: Pick<Order, "status">): boolean {
  return status === "confirmed" || status === "refunded";
}

/** Step by step from `placed` to one end: nothing confirmed that was not reserved and paid, nothing expired too early. */
export function ordersEndedOnce({ orders }: Books): Check {
  return check(
    "every order came to one end, step by step: confirmed only after reserved and paid",
    orders.values(),
    (order) => {
      const { id, status, history, expiresAt } = order;
      if (history[0]?.status !== "placed") return `${id}: it began as ${history[0]?.status ?? "nothing"}`;
      const odd = history.findIndex((step, at) => at > 0 && !NEXT[history[at - 1]!.status]?.includes(step.status));
      if (odd !== -1) return `${id}: ${history[odd]!.status} after ${history[odd - 1]!.status}`;
      if (history.at(-1)!.status !== status) return `${id}: ${status}, its last step ${history.at(-1)!.status}`;
      const early = history.find((step) => step.status === "expiring" && Date.parse(step.at) < expiresAt);
      if (early !== undefined) return `${id}: expired ${expiresAt - Date.parse(early.at)} ms too early`;
      return ENDS.includes(status) ? undefined : `${id}: still ${status}`;
    },
  );
}

export function confirmationsLeft({ orders, confirmations }: Books): Check {
  const ids = new Set([
    ...[...orders.values()].filter((order) => wasConfirmed(order)).map(({ id }) => id),
    ...confirmations.keys(),
  ]);
  return check("every confirmed order left one confirmation, with its goods and its value", ids, (id) => {
    const order = orders.get(id);
    const confirmation = confirmations.get(id);
    if (order === undefined) return `${id}: a confirmation without an order`;
    if (confirmation === undefined) return `${id}: no confirmation`;
    return wasConfirmed(order) ? difference(order, confirmation) : `${id}: a confirmation, yet ${order.status}`;
  });
}

function difference(order: Order, confirmation: Confirmation): string | undefined {
  const { id } = order;
  if (confirmation.orderId !== id) return `${id}: its confirmation is of ${confirmation.orderId}`;
  if (!isSameLines(confirmation.lines, goodsOf(order.invoice))) return `${id}: other goods confirmed`;
  const value = pounds(order);
  if (order.value !== value) return `${id}: kept with £${order.value} instead of £${value}`;
  return confirmation.value === value ? undefined : `${id}: £${confirmation.value} confirmed instead of £${value}`;
}

/** By the lines of the invoice, rounded to pence. */
function pounds({ invoice }: Order): number {
  const sum = invoice.lines.reduce((total, { quantity, unitPrice }) => total + quantity * unitPrice, 0);
  return Math.round(sum * 100) / 100;
}
