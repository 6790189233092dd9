import { goodsOf, invoiceKind, valueOf } from "../model/invoice.ts";
import type { OrderPaid } from "../model/messages.ts";
import { type OrderRecord, type OrderStatus, summaryOf } from "../model/order.ts";
import type {
  FindAnswer,
  OrderAnswer,
  OrderRefusal,
  PlaceRequest,
  RefundRequest,
  Refused,
} from "../model/order-commands.ts";
import { isPartOf, isSameLines } from "../model/stock-line.ts";
import { arrivalOf, type Leg, type MoveGoods } from "./legs.ts";

/** After the reminder has come, until it comes again if the order has not ended. */
const REMIND_AGAIN_MS = 5_000;

/** The statuses in which goods are on the move; whoever finds an order in one of them carries it on. */
const LEGS: Readonly<Partial<Record<OrderStatus, Leg<OrderStatus>>>> = {
  placed: { kind: "reserve", next: "reserved", short: "rejecting" },
  rejecting: { kind: "release", next: "rejected" },
  cancelling: { kind: "release", next: "cancelled" },
  expiring: { kind: "release", next: "expired" },
  refunding: { kind: "refund", next: "refunded" },
};

/** The statuses that nothing but a refund follows. */
const ENDS: readonly OrderStatus[] = ["confirmed", "refunded", "rejected", "cancelled", "expired"];
const UNSOLD_ENDS: readonly OrderStatus[] = ["rejected", "cancelled", "expired"];

/** What an order needs of its actor. */
export interface OrderPorts {
  readonly id: string;
  load(): Promise<OrderRecord | undefined>;
  /** Keeps the order; it must be on the disk when this resolves. */
  save(order: OrderRecord): Promise<void>;
  readonly move: MoveGoods;
  /** Tells of an order that is to be confirmed. */
  announce(order: OrderPaid): Promise<void>;
  /** Has `carryOn` called after a while, and then again and again, until `forget`. */
  remind(afterMs: number, everyMs: number): Promise<void>;
  forget(): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
  /** How long goods stay reserved for an order that is not paid, in milliseconds. */
  lifetimeMs(): number;
}

/**
 * The life of one order. Its actor runs one method at a time; each may be called again and may be cut off anywhere: the
 * status is saved before goods are moved, and whoever comes next carries on what was begun.
 */
export class OrderLife {
  readonly #ports: OrderPorts;

  constructor(ports: OrderPorts) {
    this.#ports = ports;
  }

  async place({ invoice }: PlaceRequest): Promise<OrderAnswer> {
    const { id } = invoice;
    const stored = await this.#carriedOn();
    if (stored !== undefined) {
      const isSame = isSameLines(goodsOf(stored.invoice), goodsOf(invoice)) && stored.value === valueOf(invoice);
      return isSame ? answerOf(stored) : refused("order-taken", `order ${id} is another one: give this one another id`);
    }
    if (invoiceKind(invoice) !== "order") {
      return refused("not-an-order", `invoice ${id} sells nothing: post it to /returns or /write-offs`);
    }
    const { now, lifetimeMs, remind } = this.#ports;
    const expiresAt = now() + lifetimeMs();
    // Before the first of its goods is touched: no order without somebody who ends it.
    await remind(lifetimeMs(), REMIND_AGAIN_MS);
    const order: OrderRecord = { id, status: "placed", value: valueOf(invoice), expiresAt, invoice, history: [] };
    return answerOf(await this.#goOn(await this.#become(order, "placed")));
  }

  async pay(): Promise<OrderAnswer> {
    let order = await this.#carriedOn();
    if (order === undefined) return this.#notFound();
    if (UNSOLD_ENDS.includes(order.status)) {
      return refused("order-ended", `order ${order.id} is ${order.status}: place it anew under another id`);
    }
    if (order.status === "reserved") order = await this.#become(order, "paid");
    if (order.status === "paid") await this.#announce(order);
    return answerOf(order);
  }

  async confirm(): Promise<OrderAnswer> {
    const order = await this.#carriedOn();
    if (order === undefined) return this.#notFound();
    if (order.status !== "paid") return answerOf(order);
    await this.#ports.move("sell", goodsOf(order.invoice));
    return answerOf(await this.#ended(await this.#become(order, "confirmed")));
  }

  async cancel(): Promise<OrderAnswer> {
    const order = await this.#carriedOn();
    if (order === undefined) return this.#notFound();
    if (order.status === "reserved") return answerOf(await this.#goOn(await this.#become(order, "cancelling")));
    if (UNSOLD_ENDS.includes(order.status)) return answerOf(order);
    return refused("already-paid", `order ${order.id} is ${order.status}: have it refunded`);
  }

  /** Takes back goods of a confirmed order, once. */
  async refund({ invoice }: RefundRequest): Promise<OrderAnswer> {
    if (invoiceKind(invoice) !== "cancellation") {
      return refused("not-a-refund", `invoice ${invoice.id} takes nothing back: its number must begin with C`);
    }
    const order = await this.#carriedOn();
    if (order === undefined) return this.#notFound();
    const { id, status, refundedBy } = order;
    if (refundedBy === invoice.id) return answerOf(order);
    if (refundedBy !== undefined) {
      return refused("already-refunded", `order ${id} is refunded by ${refundedBy}: post ${invoice.id} to /returns`);
    }
    if (UNSOLD_ENDS.includes(status)) return refused("not-sold", `order ${id} is ${status}: it was never sold`);
    if (status !== "confirmed") return refused("not-confirmed-yet", `order ${id} is ${status}: try again`);
    if (!isPartOf(goodsOf(invoice), goodsOf(order.invoice))) {
      return refused("not-its-goods", `invoice ${invoice.id} takes back more than order ${id} held`);
    }
    await this.#ports.remind(REMIND_AGAIN_MS, REMIND_AGAIN_MS);
    const claimed = { ...order, refundedBy: invoice.id, refund: invoice };
    return answerOf(await this.#goOn(await this.#become(claimed, "refunding")));
  }

  async find(): Promise<FindAnswer> {
    return { order: (await this.#ports.load()) ?? null };
  }

  /** The reminder has come: what was not paid in time expires, and what was begun is carried on. */
  async carryOn(): Promise<void> {
    const order = await this.#carriedOn();
    if (order === undefined || ENDS.includes(order.status)) return await this.#ports.forget();
    if (order.status === "paid") return await this.#announce(order);
    if (this.#ports.now() < order.expiresAt) return;
    await this.#goOn(await this.#become(order, "expiring"));
  }

  async #carriedOn(): Promise<OrderRecord | undefined> {
    const order = await this.#ports.load();
    return order && (await this.#goOn(order));
  }

  /** The order when none of its goods is on the move any more. */
  async #goOn(from: OrderRecord): Promise<OrderRecord> {
    let order = from;
    for (let leg = LEGS[order.status]; leg !== undefined; leg = LEGS[order.status]) {
      const { status, shortOf } = await arrivalOf(leg, goodsOf(order.refund ?? order.invoice), this.#ports.move);
      order = await this.#become(shortOf === undefined ? order : { ...order, shortOf }, status);
      if (ENDS.includes(status)) await this.#ended(order);
    }
    return order;
  }

  async #become(order: OrderRecord, status: OrderStatus): Promise<OrderRecord> {
    const at = new Date(this.#ports.now()).toISOString();
    const next: OrderRecord = { ...order, status, history: [...order.history, { status, at }] };
    await this.#ports.save(next);
    return next;
  }

  async #ended(order: OrderRecord): Promise<OrderRecord> {
    // Where that fails, the reminder comes, finds an order that has ended and forgets itself.
    await this.#ports.forget();
    return order;
  }

  async #announce({ id, value, invoice }: OrderRecord): Promise<void> {
    await this.#ports.announce({ orderId: id, lines: goodsOf(invoice), value });
  }

  #notFound(): Refused {
    return refused("order-not-found", `there is no order ${this.#ports.id}: place it first`);
  }
}

function answerOf(order: OrderRecord): OrderAnswer {
  return { order: summaryOf(order) };
}

function refused(refusal: OrderRefusal, message: string): Refused {
  return { refusal, message };
}
