import type { AcceptStream, Transport, TransportClientOptions, TransportOptions } from "../transport.ts";
import { H2Client } from "./client.ts";
import { type HpackTables, makeHpackTables } from "./hpack/tables.ts";
import { H2Server } from "./server.ts";

/** HTTP/2 of our own on `node:net` and `node:tls` sockets (RFC 9113, RFC 7541). */
export function createH2Transport(): Transport {
  // Made with the first server or client: a start has no use for them.
  let made: HpackTables | undefined;
  const tables = (): HpackTables => {
    made ??= makeHpackTables();
    return made;
  };
  return {
    createServer: (accept: AcceptStream, options?: TransportOptions) => new H2Server(accept, options, tables()),
    createClient: (authority: string, options?: TransportClientOptions) => new H2Client(authority, options, tables()),
  };
}
