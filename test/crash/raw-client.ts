import { connect, type Socket } from "node:net";

/** One keep-alive connection with one request at a time, cheap enough to load a sidecar from a few processes. */
export interface RawClient {
  /** @returns the status, or undefined when the connection ended before an answer */
  post(path: string, body: string): Promise<number | undefined>;
  close(): void;
}

/** @returns undefined when nobody listens */
export async function rawClient(port: number): Promise<RawClient | undefined> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const connected = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  });
  return connected ? clientOn(socket) : undefined;
}

function clientOn(socket: Socket): RawClient {
  let answer = "";
  let settle: ((status: number | undefined) => void) | undefined;
  let ended = false;
  const done = (status: number | undefined): void => {
    const waiting = settle;
    settle = undefined;
    answer = "";
    waiting?.(status);
  };
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    answer += chunk;
    const head = answer.indexOf("\r\n\r\n");
    const length = Number(/^content-length: (\d+)/im.exec(answer)?.[1] ?? 0);
    if (head !== -1 && answer.length >= head + 4 + length) done(Number(answer.slice(9, 12)));
  });
  const end = (): void => {
    ended = true;
    done(undefined);
  };
  socket.on("error", end);
  socket.on("close", end);
  return {
    post: (path, body) =>
      new Promise((resolve) => {
        if (ended) {
          resolve(undefined);
          return;
        }
        settle = resolve;
        socket.write(
          `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        );
      }),
    close: () => socket.destroy(),
  };
}
