// The orders service: hosts an actor for each order, and one for each invoice that moves goods without an order.
import { createGrpcClient, createServer, runUntilStopped } from "../app-process.ts";
import { ACTORS } from "../model/names.ts";
import type { StockCommands } from "../model/stock-commands.ts";
import { Actors } from "../sdk/actors.ts";
import { orderActorClass } from "./order-actor.ts";
import { ReservationLifetime } from "./reservation-lifetime.ts";
import { transferActorClass } from "./transfer-actor.ts";

const server = createServer("http");
const lifetime = new ReservationLifetime();
const stock = new Actors<StockCommands>(server.client, ACTORS.stock);

await server.actor.init();
await server.actor.registerActor(orderActorClass({ stock, lifetimeMs: () => lifetime.ms }));
await server.actor.registerActor(transferActorClass(stock));

await runUntilStopped(server);
// The SDK knows configuration over gRPC only.
await lifetime.follow(createGrpcClient());
