// The stock service: keeps the books of every stock code, and what reservations and transfers move between them.
import { createServer, runUntilStopped } from "../app-process.ts";
import { COMPONENTS, STOCK_METHODS, TOPICS } from "../model/names.ts";
import {
  availabilityRequestSchema,
  commitRequestSchema,
  openingStockSchema,
  releaseRequestSchema,
  reserveRequestSchema,
} from "../model/stock-methods.ts";
import { transferRequestSchema } from "../model/transfer.ts";
import { answer } from "../sdk/invocations.ts";
import { tell } from "../sdk/messages.ts";
import { DaprVersionedStore } from "../store/dapr-store.ts";
import { ReservationLifetime } from "./reservation-lifetime.ts";
import { Warehouse } from "./warehouse.ts";

const server = createServer("grpc");
const lifetime = new ReservationLifetime();
const warehouse = new Warehouse({
  store: new DaprVersionedStore(server.client, COMPONENTS.stateStore),
  now: Date.now,
  lifetimeMs: () => lifetime.ms,
  announce: async (reservation) => await tell(server.client, TOPICS.reservationRequested, reservation),
});

await answer(server, STOCK_METHODS.open, openingStockSchema, async (stock) => await warehouse.open(stock));
await answer(server, STOCK_METHODS.reserve, reserveRequestSchema, async (request) => await warehouse.reserve(request));
await answer(server, STOCK_METHODS.commit, commitRequestSchema, async (request) => await warehouse.commit(request));
await answer(server, STOCK_METHODS.release, releaseRequestSchema, async (request) => await warehouse.release(request));
await answer(server, STOCK_METHODS.transfer, transferRequestSchema, async (request) => {
  return await warehouse.transfer(request);
});
await answer(server, STOCK_METHODS.availability, availabilityRequestSchema, async ({ code }) => {
  return await warehouse.availability(code);
});

await runUntilStopped(server);
await lifetime.follow(server.client);
