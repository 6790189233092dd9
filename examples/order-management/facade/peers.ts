import type { DaprClient } from "@dapr/dapr";
import { ACTORS, APPS, STOCK_METHODS } from "../model/names.ts";
import {
  type FindAnswer,
  findAnswerSchema,
  type OrderAnswer,
  orderAnswerSchema,
  type OrderCommands,
  type PlaceRequest,
  type RefundRequest,
} from "../model/order-commands.ts";
import {
  type AvailabilityAnswer,
  availabilityAnswerSchema,
  type OpeningAnswer,
  openingAnswerSchema,
  type OpeningStock,
  type StockCommands,
} from "../model/stock-commands.ts";
import {
  type TransferAnswer,
  transferAnswerSchema,
  type TransferCommands,
  type TransferRequest,
} from "../model/transfer.ts";
import { Actors } from "../sdk/actors.ts";
import { call } from "../sdk/invocations.ts";

/** The services behind the façade; each throws a PeerError when the one it asks, or a sidecar on the way, is away. */
export interface Peers {
  open(stock: OpeningStock): Promise<OpeningAnswer>;
  availability(code: string): Promise<AvailabilityAnswer>;
  place(id: string, request: PlaceRequest): Promise<OrderAnswer>;
  pay(id: string): Promise<OrderAnswer>;
  cancel(id: string): Promise<OrderAnswer>;
  refund(id: string, request: RefundRequest): Promise<OrderAnswer>;
  find(id: string): Promise<FindAnswer>;
  transfer(id: string, request: TransferRequest): Promise<TransferAnswer>;
}

/** The services as the sidecar reaches them. */
export function peersOf(client: DaprClient): Peers {
  const orders = new Actors<OrderCommands>(client, ACTORS.order);
  const stock = new Actors<StockCommands>(client, ACTORS.stock);
  const transfers = new Actors<TransferCommands>(client, ACTORS.transfer);
  return {
    open: async (request) => await call(client, APPS.stock, STOCK_METHODS.open, request, openingAnswerSchema),
    availability: async (code) => await stock.ask(code, "availability", {}, availabilityAnswerSchema),
    place: async (id, request) => await orders.ask(id, "place", request, orderAnswerSchema),
    pay: async (id) => await orders.ask(id, "pay", {}, orderAnswerSchema),
    cancel: async (id) => await orders.ask(id, "cancel", {}, orderAnswerSchema),
    refund: async (id, request) => await orders.ask(id, "refund", request, orderAnswerSchema),
    find: async (id) => await orders.ask(id, "find", {}, findAnswerSchema),
    transfer: async (id, request) => await transfers.ask(id, "move", request, transferAnswerSchema),
  };
}
