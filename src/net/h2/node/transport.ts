import type { Transport } from "../transport.ts";
import { NodeTransportClient } from "./client.ts";
import { NodeTransportServer } from "./server.ts";

/** HTTP/2 over `node:http2`: the first implementation of the transport, its fallback and the oracle of differential tests. */
export const nodeTransport: Transport = {
  createServer: (accept, options) => new NodeTransportServer(accept, options),
  createClient: (authority, options) => new NodeTransportClient(authority, options),
};
