// The order confirmation: hears of paid orders and tells the customers.
import { createServer, runUntilStopped } from "../app-process.ts";
import { orderPaidSchema } from "../model/messages.ts";
import { ACTORS, COMPONENTS, TOPICS } from "../model/names.ts";
import { orderAnswerSchema, type OrderCommands } from "../model/order-commands.ts";
import { Actors } from "../sdk/actors.ts";
import { hear } from "../sdk/messages.ts";
import { confirm, type ConfirmOptions } from "./confirm.ts";

const server = createServer("grpc");
const { client } = server;
const orders = new Actors<OrderCommands>(client, ACTORS.order);
const options: ConfirmOptions = {
  send: async (fileName, confirmation) => {
    await client.binding.send(COMPONENTS.confirmations, "create", confirmation, { fileName });
  },
  confirm: async (orderId) => await orders.ask(orderId, "confirm", {}, orderAnswerSchema),
  now: Date.now,
};

await hear(server, TOPICS.orderPaid, orderPaidSchema, async (order) => await confirm(order, options));

await runUntilStopped(server);
