import { type DaprClient, HttpMethod } from "@dapr/dapr";
import { goodsOf, type Invoice, invoiceKind, type InvoiceKind, valueOf } from "../model/invoice.ts";
import { type MoveOutcome, moveOutcomeSchema, type MoveRequest } from "../model/movement.ts";
import { ORDER_PUBSUB, ORDER_STORE, orderKey, STOCK_APP, STOCK_METHODS, TOPIC_OF } from "../model/names.ts";
import { type OrderEvent, type OrderRecord, orderRecordSchema, type OrderStatus } from "../model/order.ts";
import { type OnHand, onHandSchema, type StockSummary, stockSummarySchema } from "../model/stock.ts";

/** How an order of each kind ends when its goods could be moved. */
const STATUS_OF = {
  order: "placed",
  cancellation: "cancelled",
  "write-off": "written-off",
} as const satisfies Record<InvoiceKind, OrderStatus>;

/** What the façade does with orders, through its sidecar. */
export class OrderDesk {
  readonly #client: DaprClient;
  readonly #counts: Record<OrderStatus, number> = { placed: 0, rejected: 0, cancelled: 0, "written-off": 0 };

  constructor(client: DaprClient) {
    this.#client = client;
  }

  /**
   * Takes an order: moves its goods, keeps it, tells of it. When this throws, the order may have come half of the way;
   * placing it again completes it, since each of the three does nothing the second time.
   */
  async place(invoice: Invoice): Promise<OrderRecord> {
    const moved = await this.#move(invoice);
    const record: OrderRecord = {
      id: invoice.id,
      status: moved.phase === "done" ? STATUS_OF[invoiceKind(invoice)] : "rejected",
      ...(moved.shortOf === undefined ? {} : { shortOf: moved.shortOf }),
      value: valueOf(invoice),
      invoice,
    };
    await this.#keep(record);
    await this.#tell(record);
    this.#counts[record.status]++;
    return record;
  }

  async find(orderId: string): Promise<OrderRecord | undefined> {
    const found: unknown = await this.#client.state.get(ORDER_STORE, orderKey(orderId));
    // The SDK gives an empty text for a record that does not exist.
    return found === "" ? undefined : orderRecordSchema.parse(found);
  }

  async onHand(code: string): Promise<OnHand> {
    const method = `${STOCK_METHODS.onHand}?${new URLSearchParams({ code }).toString()}`;
    return onHandSchema.parse(await this.#client.invoker.invoke(STOCK_APP, method, HttpMethod.GET));
  }

  async summary(): Promise<{ orders: Record<OrderStatus, number>; stock: StockSummary }> {
    const stock = await this.#client.invoker.invoke(STOCK_APP, STOCK_METHODS.summary, HttpMethod.GET);
    return { orders: { ...this.#counts }, stock: stockSummarySchema.parse(stock) };
  }

  async #move(invoice: Invoice): Promise<MoveOutcome> {
    const request: MoveRequest = {
      orderId: invoice.id,
      direction: invoiceKind(invoice) === "cancellation" ? "in" : "out",
      lines: goodsOf(invoice),
    };
    const answer = await this.#client.invoker.invoke(STOCK_APP, STOCK_METHODS.move, HttpMethod.POST, request);
    return moveOutcomeSchema.parse(answer);
  }

  async #keep(record: OrderRecord): Promise<void> {
    const { error } = await this.#client.state.save(ORDER_STORE, [{ key: orderKey(record.id), value: record }]);
    if (error !== undefined) throw error;
  }

  async #tell({ id, status, value }: OrderRecord): Promise<void> {
    const event: OrderEvent = { orderId: id, status, value };
    const { error } = await this.#client.pubsub.publish(ORDER_PUBSUB, TOPIC_OF[status], event);
    if (error !== undefined) throw error;
  }
}
