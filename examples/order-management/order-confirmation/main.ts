// The order confirmation: hears of placed orders, commits their reservations and tells the customers.
import { createServer, runUntilStopped } from "../app-process.ts";
import { orderPlacedSchema } from "../model/messages.ts";
import { APPS, COMPONENTS, ORDERS_METHODS, STOCK_METHODS, TOPICS } from "../model/names.ts";
import { orderAnswerSchema } from "../model/order-methods.ts";
import { commitAnswerSchema } from "../model/stock-methods.ts";
import { call } from "../sdk/invocations.ts";
import { hear } from "../sdk/messages.ts";
import { confirm, type ConfirmOptions } from "./confirm.ts";

const server = createServer("http");
const { client } = server;
const options: ConfirmOptions = {
  commit: async (request) => await call(client, APPS.stock, STOCK_METHODS.commit, request, commitAnswerSchema),
  send: async (fileName, confirmation) => {
    await client.binding.send(COMPONENTS.confirmations, "create", confirmation, { fileName });
  },
  conclude: async (request) => await call(client, APPS.orders, ORDERS_METHODS.conclude, request, orderAnswerSchema),
  now: Date.now,
};

await hear(server, TOPICS.orderPlaced, orderPlacedSchema, async (order) => await confirm(order, options));

await runUntilStopped(server);
