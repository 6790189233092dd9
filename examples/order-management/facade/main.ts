// The façade: takes orders over REST and speaks HTTP with its sidecar.
import { CommunicationProtocolEnum, DaprServer, LogLevel } from "@dapr/dapr";
import { readEnvironment, runUntilStopped } from "../app-process.ts";
import { OrderDesk } from "./order-desk.ts";
import { addRoutes, type Rest } from "./routes.ts";

const { appPort, daprHttpPort } = readEnvironment();

const server = new DaprServer({
  serverHost: "127.0.0.1",
  serverPort: appPort,
  communicationProtocol: CommunicationProtocolEnum.HTTP,
  clientOptions: { daprPort: daprHttpPort, logger: { level: LogLevel.Warn } },
});
// The SDK's HTTP server is an Express application; its own routes and ours share one port.
addRoutes(server.daprServer.getServer() as Rest, new OrderDesk(server.client));

await runUntilStopped(server);
