import { createH2Transport } from "../src/net/h2/protocol/transport.ts";
import { type RequestHead, type StreamHandler, type Transport, type TransportClient } from "../src/net/h2/transport.ts";
import type { Histogram } from "./histogram.ts";
import type { Lane } from "./load-target.ts";
import type { LoadTarget } from "./load-target.ts";

const MESSAGE_PREFIX_BYTES = 5;

/** One connection that makes unary calls, one at a time. The answer's bytes are not looked at; its status is. */
export function grpcLane(target: LoadTarget, latency: Histogram): Lane {
  const authority = `127.0.0.1:${target.port}`;
  const transport: Transport = createH2Transport();
  const client = transport.createClient(authority);
  const headers = [
    "te",
    "trailers",
    "content-type",
    "application/grpc",
    ...Object.entries(target.headers ?? {}).flat(),
  ];
  const head: RequestHead = { method: "POST", path: target.path, scheme: "http", authority, headers };
  const request = framed(target.body ?? new Uint8Array(0));
  return {
    async request(plannedMs) {
      await call(client, head, request);
      latency.record(performance.now() - plannedMs);
    },
    close: () => void client.close(),
  };
}

function call(client: TransportClient, head: RequestHead, request: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let status: string | undefined;
    const note = (fields: readonly string[]): void => {
      const at = fields.indexOf("grpc-status");
      if (at !== -1) status = `${fields[at + 1]} ${fields[fields.indexOf("grpc-message") + 1]}`;
    };
    const handler: StreamHandler = {
      onHead: ({ headers }) => note(headers),
      onData() {},
      onTrailers: note,
      onEnd() {},
      onClose(code) {
        if (code === 0 && status?.startsWith("0 ") === true) resolve();
        else reject(new Error(`${head.path}: status ${status ?? "none"}, stream code ${code}`));
      },
    };
    client.open(head, false, handler).send(request, true);
  });
}

/** The connection owns what it is given to send, but only reads it: all calls share one buffer. */
function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(MESSAGE_PREFIX_BYTES + message.length);
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, MESSAGE_PREFIX_BYTES);
  return bytes;
}
