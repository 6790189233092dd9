// The orders service: keeps every order and how it ended.
import { createServer, runUntilStopped } from "../app-process.ts";
import { APPS, COMPONENTS, ORDERS_METHODS, STOCK_METHODS, TOPICS } from "../model/names.ts";
import {
  cancelRequestSchema,
  concludeRequestSchema,
  findRequestSchema,
  placeRequestSchema,
} from "../model/order-methods.ts";
import { transferAnswerSchema } from "../model/stock-methods.ts";
import { answer, call } from "../sdk/invocations.ts";
import { tell } from "../sdk/messages.ts";
import { DaprVersionedStore } from "../store/dapr-store.ts";
import { OrderBook } from "./order-book.ts";

const server = createServer("grpc");
const book = new OrderBook({
  store: new DaprVersionedStore(server.client, COMPONENTS.stateStore),
  announce: async (order) => await tell(server.client, TOPICS.orderPlaced, order),
  transfer: async (request) => {
    return await call(server.client, APPS.stock, STOCK_METHODS.transfer, request, transferAnswerSchema);
  },
});

await answer(server, ORDERS_METHODS.place, placeRequestSchema, async (request) => await book.place(request));
await answer(server, ORDERS_METHODS.find, findRequestSchema, async ({ id }) => await book.find(id));
await answer(server, ORDERS_METHODS.conclude, concludeRequestSchema, async (request) => await book.conclude(request));
await answer(server, ORDERS_METHODS.cancel, cancelRequestSchema, async (request) => await book.cancel(request));

await runUntilStopped(server);
