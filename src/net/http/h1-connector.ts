import type { Socket } from "node:net";
import { buildConnector } from "undici";
import { passResponseStarts } from "./response-starts.ts";

const KEEP_ALIVE = "\r\nconnection: keep-alive\r\n";

/**
 * Sockets of undici that do not say `connection: keep-alive`.
 * @param onHead told of each head of a request, as it is written
 */
export function createH1Connector(
  options: buildConnector.BuildOptions,
  onHead: (socket: Socket) => void,
): buildConnector.connector {
  const connect = buildConnector(options);
  // undici prefers the name in the request's Host header to the one it is told.
  const { servername } = options as { readonly servername?: string };
  return (target, callback) => {
    connect(servername === undefined ? target : { ...target, servername }, (...result) => {
      if (result[0] === null) {
        const [, socket] = result;
        const awaitStart = passResponseStarts(socket);
        withoutKeepAlive(socket, () => {
          awaitStart();
          onHead(socket);
        });
      }
      callback(...result);
    });
  };
}

/**
 * undici puts `connection: keep-alive` into every head and cannot be told otherwise. It is what HTTP/1.1 does anyway, Go's
 * client and so daprd does not say it, and apps that look for headers of a single hop among those they got would find it.
 * Heads are the only long strings that undici writes: bodies are bytes, and the lengths of chunks are short.
 */
function withoutKeepAlive(socket: Socket, headWritten: () => void): void {
  const write = socket.write.bind(socket) as (chunk: unknown, ...more: unknown[]) => boolean;
  socket.write = (chunk: unknown, ...more: unknown[]): boolean => {
    if (typeof chunk !== "string" || chunk.length < KEEP_ALIVE.length) {
      return write(chunk, ...more);
    }
    headWritten();
    const at = chunk.indexOf(KEEP_ALIVE);
    return write(at === -1 ? chunk : chunk.slice(0, at) + chunk.slice(at + KEEP_ALIVE.length - 2), ...more);
  };
}
