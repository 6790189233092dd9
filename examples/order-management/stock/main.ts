// The stock service: answers its façade by service invocation and hears of every order by pub/sub, both over gRPC.
import {
  CommunicationProtocolEnum,
  type DaprInvokerCallbackContent,
  DaprPubSubStatusEnum,
  DaprServer,
  HttpMethod,
  LogLevel,
} from "@dapr/dapr";
import { readEnvironment, runUntilStopped } from "../app-process.ts";
import { moveRequestSchema } from "../model/movement.ts";
import { ORDER_PUBSUB, STOCK_METHODS, STOCK_STORE, TOPIC_OF } from "../model/names.ts";
import { orderEventSchema } from "../model/order.ts";
import { openingStockSchema } from "../model/stock.ts";
import { DaprVersionedStore } from "./versioned-store.ts";
import { Warehouse } from "./warehouse.ts";

const { appPort, daprGrpcPort } = readEnvironment();

const server = new DaprServer({
  serverHost: "127.0.0.1",
  serverPort: appPort,
  communicationProtocol: CommunicationProtocolEnum.GRPC,
  clientOptions: { daprPort: daprGrpcPort, logger: { level: LogLevel.Warn } },
});
const warehouse = new Warehouse(new DaprVersionedStore(server.client, STOCK_STORE));

/** Answers a method; the caller of one that throws is told no more than `internal error`, so it is printed here. */
async function answer(
  name: string,
  method: HttpMethod,
  handle: (request: DaprInvokerCallbackContent) => Promise<object>,
): Promise<void> {
  const handler = async (request: DaprInvokerCallbackContent): Promise<object> => {
    try {
      return await handle(request);
    } catch (error) {
      console.error(`stock: ${name} failed:`, error);
      throw error;
    }
  };
  await server.invoker.listen(name, handler, { method });
}

/** The SDK hands bodies over as text. */
function json({ body }: DaprInvokerCallbackContent): unknown {
  return JSON.parse(body ?? "");
}

await answer(STOCK_METHODS.open, HttpMethod.POST, async (request) => {
  const stock = openingStockSchema.parse(json(request));
  await warehouse.open(stock);
  return { codes: Object.keys(stock.items).length };
});
await answer(STOCK_METHODS.move, HttpMethod.POST, async (request) => {
  return await warehouse.move(moveRequestSchema.parse(json(request)));
});
await answer(STOCK_METHODS.onHand, HttpMethod.GET, async ({ query }) => {
  return await warehouse.onHand(new URLSearchParams(query).get("code") ?? "");
});
await answer(STOCK_METHODS.summary, HttpMethod.GET, async () => await Promise.resolve(warehouse.summary()));

/** Takes an event; the SDK acknowledges those whose handler throws, so each outcome has to be said. */
async function hear(topic: string, data: unknown): Promise<DaprPubSubStatusEnum> {
  const event = orderEventSchema.safeParse(data);
  if (!event.success) {
    console.error(`stock: dropped an event on ${topic}: ${event.error.message}`);
    return DaprPubSubStatusEnum.DROP;
  }
  try {
    if (await warehouse.announce(event.data.orderId, topic)) return DaprPubSubStatusEnum.SUCCESS;
    console.error(`stock: dropped an event on ${topic}: no order ${event.data.orderId}`);
    return DaprPubSubStatusEnum.DROP;
  } catch (error) {
    console.error(`stock: an event on ${topic} must come again:`, error);
    return DaprPubSubStatusEnum.RETRY;
  }
}

for (const topic of Object.values(TOPIC_OF)) {
  await server.pubsub.subscribe(ORDER_PUBSUB, topic, async (data: unknown) => await hear(topic, data));
}

await runUntilStopped(server);
