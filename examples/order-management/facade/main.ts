// The façade: takes orders over REST and hands them on to the services behind it.
import { createServer, runUntilStopped } from "../app-process.ts";
import { ApiKey } from "./api-key.ts";
import { peersOf } from "./peers.ts";
import { type Express, serveRest } from "./rest-server.ts";
import { ROUTES } from "./routes.ts";

const server = createServer("http");
// The SDK's HTTP server is an Express application; its own routes and ours share one port.
serveRest(server.daprServer.getServer() as Express, {
  routes: ROUTES,
  peers: peersOf(server.client),
  apiKey: new ApiKey(server.client),
});

await runUntilStopped(server);
