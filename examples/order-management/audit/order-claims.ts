import type { Books } from "./books.ts";
import { check, type Check } from "./check.ts";
import { isSameLines } from "./lines.ts";
import type { Confirmation, Line, Order, Reservation } from "./records.ts";

/** Codes of goods are five digits and perhaps letters; what else stands on an invoice is money only. */
const GOODS_CODE = /^\d{5}[A-Z]{0,8}$/;

/** The goods on an order's invoice. */
export function goodsOf({ invoice }: Pick<Order, "invoice">): Line[] {
  return invoice.lines.filter(({ code }) => GOODS_CODE.test(code)).map(({ code, quantity }) => ({ code, quantity }));
}

/** Confirmed, or cancelled by an invoice after that: its goods were sold. */
export function wasConfirmed({ status, cancelledBy }: Pick<Order, "status" | "cancelledBy">): boolean {
  return status === "confirmed" || (status === "cancelled" && cancelledBy !== undefined);
}

export function ordersEndedAsReserved({ orders, reservations, transfers }: Books): Check {
  const ends = check("", orders.values(), (order) => {
    return endOfOrder(order, reservations.get(order.reservationId)) ?? cancellationOf(order, transfers);
  });
  const sold = check("", reservations.values(), ({ id, phase, orderId }) => {
    if (phase !== "committed") return undefined;
    const order = orderId === undefined ? undefined : orders.get(orderId);
    return order?.reservationId === id ? undefined : `${id}: committed for ${orderId}, which does not hold it`;
  });
  return {
    claim: "every order ended as its reservation did: confirmed ⇔ committed",
    examined: ends.examined,
    problems: [...ends.problems, ...sold.problems],
  };
}

function endOfOrder(order: Order, reservation: Reservation | undefined): string | undefined {
  const { id, status } = order;
  const found = `${id}: ${status}, its reservation ${reservation?.reason ?? reservation?.phase ?? "gone"}`;
  if (wasConfirmed(order)) {
    if (reservation?.phase !== "committed" || reservation.orderId !== id) return found;
    return isSameLines(goodsOf(order), reservation.lines) ? undefined : `${id}: other goods than were reserved`;
  }
  switch (status) {
    case "rejected":
      return reservation === undefined || reservation.phase === "refused" ? undefined : found;
    case "expired":
    case "cancelled":
      return reservation?.phase === "released" && reservation.reason === status ? undefined : found;
    default:
      return `${id}: still ${status}`;
  }
}

function cancellationOf({ id, status, cancelledBy }: Order, transfers: Books["transfers"]): string | undefined {
  if (cancelledBy === undefined) return undefined;
  if (status !== "cancelled") return `${id}: its cancellation by ${cancelledBy} did not come to an end`;
  const transfer = transfers.get(cancelledBy);
  const isOurs = transfer?.kind === "cancellation" && transfer.orderId === id && transfer.phase === "done";
  return isOurs ? undefined : `${id}: cancelled by ${cancelledBy}, which took no goods back for it`;
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
  if (confirmation.reservationId !== order.reservationId) return `${id}: confirmed with another reservation`;
  if (!isSameLines(confirmation.lines, goodsOf(order))) return `${id}: other goods confirmed`;
  const value = pounds(order);
  if (order.value !== value) return `${id}: kept with £${order.value} instead of £${value}`;
  return confirmation.value === value ? undefined : `${id}: £${confirmation.value} confirmed instead of £${value}`;
}

/** By the lines of the invoice, rounded to pence. */
function pounds({ invoice }: Order): number {
  const sum = invoice.lines.reduce((total, { quantity, unitPrice }) => total + quantity * unitPrice, 0);
  return Math.round(sum * 100) / 100;
}
