import { createSocket } from "node:dgram";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request that reached the app. */
export interface AppRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** What the app answers; undefined: 200 with no body. */
export type AppAnswer =
  | { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | undefined;

/** An app over HTTP/1.1 that keeps what it was sent. */
export interface TestApp extends AsyncDisposable {
  readonly port: number;
  /** In the order of their ends. */
  readonly requests: readonly AppRequest[];
  /** The requests to one path. */
  at(url: string): readonly AppRequest[];
  close(): Promise<void>;
}

export interface TestAppOptions {
  /** The answer to `GET /dapr/config`, JSON; 404 without. */
  readonly config?: string;
  /** The answer to `GET /dapr/subscribe`; 404 without. */
  readonly subscriptions?: readonly unknown[];
  readonly port?: number;
  answer?(request: AppRequest): AppAnswer | Promise<AppAnswer>;
}

/** Opens an app on a free loopback port. */
export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const requests: AppRequest[] = [];
  const server = createServer((incoming, response) => void serve(incoming, response));
  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) {
      chunks.push(chunk as Buffer);
    }
    const { method = "", url = "", headers } = incoming;
    const request = { method, url, headers, body: Buffer.concat(chunks).toString() };
    requests.push(request);
    const answer = ownAnswer(options, request) ?? (await options.answer?.(request)) ?? {};
    response.writeHead(answer.status ?? 200, answer.headers);
    response.end(answer.body);
  }
  const port = await listening(server, options.port ?? 0);
  const close = (): Promise<void> => closed(server);
  return {
    port,
    requests,
    at: (url) => requests.filter((request) => request.url === url),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function ownAnswer(options: TestAppOptions, { url }: AppRequest): AppAnswer {
  if (url === "/dapr/config") {
    return options.config === undefined ? { status: 404 } : { body: options.config };
  }
  if (url !== "/dapr/subscribe") {
    return undefined;
  }
  const { subscriptions } = options;
  return subscriptions === undefined
    ? { status: 404 }
    : { headers: { "content-type": "application/json" }, body: JSON.stringify(subscriptions) };
}

/** Opens a server on loopback. @returns its port */
export function listening(server: Server, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/** Cuts all connections and closes. */
export function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Below what Linux, macOS and Windows hand out for port 0, which every other test uses. */
const OWN_PORT_MIN = 15_000;
const OWN_PORTS = 17_000;

/**
 * A loopback port that nobody listens on, for programs that must be told theirs. Until this process ends no test is given
 * it again, on the whole machine: the UDP port of that number stands for the promise.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = OWN_PORT_MIN + Math.floor(Math.random() * OWN_PORTS);
    const server = createServer();
    try {
      await promised(port);
      await listening(server, port);
      await closed(server);
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") {
        throw error;
      }
    }
  }
}

function promised(port: number): Promise<void> {
  const socket = createSocket("udp4").unref();
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address: "127.0.0.1", port, exclusive: true }, resolve);
  });
}
