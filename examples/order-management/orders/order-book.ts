import { goodsOf } from "../model/invoice.ts";
import type { OrderPlaced } from "../model/messages.ts";
import { orderKey } from "../model/names.ts";
import { type OrderRecord, orderRecordSchema, summaryOf } from "../model/order.ts";
import type { CancelRequest, ConcludeRequest, FindAnswer, OrderAnswer, PlaceRequest } from "../model/order-methods.ts";
import type { TransferAnswer } from "../model/stock-methods.ts";
import type { TransferRequest } from "../model/transfer.ts";
import { type Pause, randomPause, retryOnConflict } from "../store/etag-retry.ts";
import type { VersionedStore } from "../store/versioned-store.ts";
import { cancelled, claimed, concluded, placed, type Transition, unclaimed } from "./transitions.ts";

export interface OrderBookOptions {
  readonly store: VersionedStore;
  /** Tells of an order whose reservation is to be committed. */
  readonly announce: (order: OrderPlaced) => Promise<void>;
  /** Asks the stock service to move goods. */
  readonly transfer: (request: TransferRequest) => Promise<TransferAnswer>;
  readonly pause?: Pause;
}

/** The rules of the orders service over its store; every method may be called again with the same arguments. */
export class OrderBook {
  readonly #options: OrderBookOptions;

  constructor(options: OrderBookOptions) {
    this.#options = options;
  }

  /** Keeps an order and tells of it, again as long as nobody has concluded it. */
  async place(request: PlaceRequest): Promise<OrderAnswer> {
    const transition = await this.#change(request.invoice.id, (stored) => placed(stored, request));
    if ("refusal" in transition) return transition;
    const { order } = transition;
    if (order.status === "placed") {
      const { id, reservationId, value, invoice } = order;
      await this.#options.announce({ orderId: id, reservationId, lines: goodsOf(invoice), value });
    }
    return { order: summaryOf(order) };
  }

  async find(id: string): Promise<FindAnswer> {
    return { order: (await this.#read(id)).order ?? null };
  }

  /** Ends a placed order. */
  async conclude({ id, status }: ConcludeRequest): Promise<OrderAnswer> {
    return answerOf(await this.#change(id, (stored) => concluded(id, stored, status)));
  }

  /**
   * Takes back goods of a confirmed order. The order is claimed for this cancellation before any goods are moved, so that
   * two cancellations of one order cannot both move them.
   */
  async cancel({ id, invoice }: CancelRequest): Promise<OrderAnswer> {
    const claim = await this.#change(id, (stored) => claimed(id, stored, invoice));
    if ("refusal" in claim || claim.order.status === "cancelled") return answerOf(claim);

    const lines = goodsOf(invoice);
    const { status } = await this.#options.transfer({ id: invoice.id, kind: "cancellation", lines, orderId: id });
    if (status === "done") {
      return answerOf(await this.#change(id, (stored) => ownedBy(id, stored, invoice.id, cancelled)));
    }
    await this.#change(id, (stored) => ownedBy(id, stored, invoice.id, unclaimed));
    return status === "mismatched"
      ? { refusal: "id-taken", message: `invoice ${invoice.id} has moved other goods already: give it another number` }
      : { refusal: "not-sold", message: `the goods of order ${id} are not among those sold` };
  }

  async #read(id: string): Promise<{ order: OrderRecord | undefined; etag: string | undefined }> {
    const key = orderKey(id);
    const record = (await this.#options.store.read([key])).get(key);
    return { order: record && orderRecordSchema.parse(record.value), etag: record?.etag };
  }

  async #change(id: string, next: (stored: OrderRecord | undefined) => Transition): Promise<Transition> {
    return await retryOnConflict(async () => {
      const { order: stored, etag } = await this.#read(id);
      const transition = next(stored);
      if ("order" in transition && transition.order !== stored) {
        await this.#options.store.write([{ key: orderKey(id), value: transition.order, etag }]);
      }
      return transition;
    }, this.#options.pause ?? randomPause);
  }
}

/** The end of a cancellation, unless another process has brought the same one to its end before. */
function ownedBy(
  id: string,
  stored: OrderRecord | undefined,
  invoiceId: string,
  end: (stored: OrderRecord) => OrderRecord,
): Transition {
  if (stored === undefined) return { refusal: "order-not-found", message: `there is no order ${id}` };
  return { order: stored.cancelledBy === invoiceId ? end(stored) : stored };
}

function answerOf(transition: Transition): OrderAnswer {
  return "refusal" in transition ? transition : { order: summaryOf(transition.order) };
}
