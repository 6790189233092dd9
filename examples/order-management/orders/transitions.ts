import { goodsOf, type Invoice, invoiceKind, valueOf } from "../model/invoice.ts";
import { isPartOf } from "../model/stock-line.ts";
import type { Conclusion, OrderRecord } from "../model/order.ts";
import type { OrderRefusal, PlaceRequest } from "../model/order-methods.ts";

/** Why an order does not become what was asked for, with a sentence for a person. */
export interface Refused {
  readonly refusal: OrderRefusal;
  readonly message: string;
}

/** What an order becomes; the record that was given when nothing changes. */
export type Transition = { readonly order: OrderRecord } | Refused;

/** An order as it is kept first, or as it has been kept already. */
export function placed(stored: OrderRecord | undefined, { invoice, reservationId }: PlaceRequest): Transition {
  const { id } = invoice;
  if (invoiceKind(invoice) !== "order") {
    return refused("not-an-order", `invoice ${id} sells nothing: post it to /returns or /write-offs`);
  }
  if (stored === undefined) {
    return { order: { id, status: "placed", reservationId, value: valueOf(invoice), invoice } };
  }
  if (stored.reservationId === reservationId) return { order: stored };
  return refused("order-taken", `order ${id} has been placed with reservation ${stored.reservationId} already`);
}

/** A placed order with its end. */
export function concluded(id: string, stored: OrderRecord | undefined, status: Conclusion): Transition {
  if (stored === undefined) return notFound(id);
  if (stored.status === "placed") return { order: { ...stored, status } };
  // A confirmed order may have been cancelled since.
  const first = stored.cancelledBy === undefined ? stored.status : "confirmed";
  if (first === status) return { order: stored };
  return refused("already-concluded", `order ${id} has ended as ${first}: it cannot be ${status} too`);
}

/** A confirmed order once its cancellation has begun: from then on no other cancellation can take its goods back. */
export function claimed(id: string, stored: OrderRecord | undefined, invoice: Invoice): Transition {
  if (invoiceKind(invoice) !== "cancellation") {
    return refused("not-a-cancellation", `invoice ${invoice.id} takes nothing back: its number must begin with C`);
  }
  if (stored === undefined) return notFound(id);
  if (stored.cancelledBy === invoice.id) return { order: stored };
  if (stored.cancelledBy !== undefined) {
    return refused(
      "already-cancelled",
      `order ${id} is cancelled by ${stored.cancelledBy}: post ${invoice.id} to /returns`,
    );
  }
  if (stored.status === "placed") return refused("not-confirmed-yet", `order ${id} is not confirmed yet: try again`);
  if (stored.status !== "confirmed") return refused("not-sold", `order ${id} is ${stored.status}: it was never sold`);
  if (!isPartOf(goodsOf(invoice), goodsOf(stored.invoice))) {
    return refused("not-its-goods", `invoice ${invoice.id} takes back more than order ${id} held`);
  }
  return { order: { ...stored, cancelledBy: invoice.id } };
}

/** An order whose goods have come back. */
export function cancelled(stored: OrderRecord): OrderRecord {
  return stored.status === "cancelled" ? stored : { ...stored, status: "cancelled" };
}

/** An order whose goods could not come back after all. */
export function unclaimed({ cancelledBy: _, ...stored }: OrderRecord): OrderRecord {
  return stored;
}

function notFound(id: string): Refused {
  return refused("order-not-found", `there is no order ${id}: place it first`);
}

function refused(refusal: OrderRefusal, message: string): Refused {
  return { refusal, message };
}
