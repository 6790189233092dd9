import type { DaprClient } from "@dapr/dapr";
import type { ReservationCancelled } from "../model/messages.ts";
import { APPS, ORDERS_METHODS, STOCK_METHODS, TOPICS } from "../model/names.ts";
import {
  type CancelRequest,
  findAnswerSchema,
  type FindAnswer,
  type OrderAnswer,
  orderAnswerSchema,
  type PlaceRequest,
} from "../model/order-methods.ts";
import {
  type AvailabilityAnswer,
  availabilityAnswerSchema,
  type OpeningAnswer,
  openingAnswerSchema,
  type OpeningStock,
  type ReserveAnswer,
  reserveAnswerSchema,
  type ReserveRequest,
  type TransferAnswer,
  transferAnswerSchema,
} from "../model/stock-methods.ts";
import type { TransferRequest } from "../model/transfer.ts";
import { call } from "../sdk/invocations.ts";
import { tell } from "../sdk/messages.ts";

/** The services behind the façade; each throws a PeerError when the one it asks, or a sidecar on the way, is away. */
export interface Peers {
  open(stock: OpeningStock): Promise<OpeningAnswer>;
  availability(code: string): Promise<AvailabilityAnswer>;
  reserve(request: ReserveRequest): Promise<ReserveAnswer>;
  transfer(request: TransferRequest): Promise<TransferAnswer>;
  place(request: PlaceRequest): Promise<OrderAnswer>;
  find(id: string): Promise<FindAnswer>;
  cancel(request: CancelRequest): Promise<OrderAnswer>;
  giveUp(reservation: ReservationCancelled): Promise<void>;
}

/** The services as the sidecar reaches them. */
export function peersOf(client: DaprClient): Peers {
  const { stock, orders } = APPS;
  return {
    open: async (request) => await call(client, stock, STOCK_METHODS.open, request, openingAnswerSchema),
    availability: async (code) => {
      return await call(client, stock, STOCK_METHODS.availability, { code }, availabilityAnswerSchema);
    },
    reserve: async (request) => await call(client, stock, STOCK_METHODS.reserve, request, reserveAnswerSchema),
    transfer: async (request) => await call(client, stock, STOCK_METHODS.transfer, request, transferAnswerSchema),
    place: async (request) => await call(client, orders, ORDERS_METHODS.place, request, orderAnswerSchema),
    find: async (id) => await call(client, orders, ORDERS_METHODS.find, { id }, findAnswerSchema),
    cancel: async (request) => await call(client, orders, ORDERS_METHODS.cancel, request, orderAnswerSchema),
    giveUp: async (reservation) => await tell(client, TOPICS.reservationCancelled, reservation),
  };
}
