import { Metadata, Server, ServerCredentials, type ServerDuplexStream, type ServerUnaryCall } from "@grpc/grpc-js";

const same = (bytes: Buffer): Buffer => bytes;

/** `shop.Orders`, a service that no sidecar knows, with a method of each kind; messages are text. */
export const ORDERS = {
  place: path("Place", false, false),
  collect: path("Collect", true, false),
  repeat: path("Repeat", false, true),
  chat: path("Chat", true, true),
};

/** What the app was called with. */
export interface SeenCall {
  readonly path: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly deadlineMs: number | undefined;
}

export interface OrdersApp extends AsyncDisposable {
  readonly port: number;
  readonly seen: SeenCall[];
  /** Calls of Place that have come and not been answered. */
  readonly held: { answer(): void; readonly cancelled: () => boolean }[];
  readonly connections: () => number;
}

export interface OrdersAppOptions {
  /** Streams of one connection at once. */
  readonly streamsMax?: number;
  /** Answers health probes; without it they are not served. */
  readonly healthy?: () => boolean;
}

/**
 * An app on grpc-js that serves `shop.Orders`. Place answers what it got, fails with the text behind `fail:`, or with `hold`
 * waits until the test lets it go; Collect joins, Repeat says a message three times, Chat answers each as it comes.
 */
export async function startOrdersApp(options: OrdersAppOptions = {}): Promise<OrdersApp> {
  const server = new Server({
    "grpc.max_receive_message_length": -1,
    ...(options.streamsMax === undefined ? {} : { "grpc.max_concurrent_streams": options.streamsMax }),
  });
  const seen: SeenCall[] = [];
  const held: OrdersApp["held"] = [];
  const peers = new Set<string>();
  const note = (
    path: string,
    call: { readonly metadata: Metadata; getDeadline(): Date | number; getPeer(): string },
  ): void => {
    const deadline = call.getDeadline();
    const deadlineMs = Number.isFinite(Number(deadline)) ? Number(deadline) - Date.now() : undefined;
    peers.add(call.getPeer());
    seen.push({ path, metadata: call.metadata.getMap(), deadlineMs });
  };
  server.addService(ORDERS, {
    place(call: ServerUnaryCall<Buffer, Buffer>, answer: (error: unknown, value?: Buffer, trailer?: Metadata) => void) {
      note(ORDERS.place.path, call);
      const text = call.request.toString();
      const metadata = new Metadata();
      metadata.set("x-trail", "t");
      if (text.startsWith("fail:")) {
        metadata.set("grpc-status-details-bin", Buffer.from([8, 9, 18, 1, 120]));
        answer({ code: 9, details: text.slice(5), metadata });
        return;
      }
      const head = new Metadata();
      head.set("x-head", "h");
      call.sendMetadata(head);
      const reply = (): void => answer(null, Buffer.from(`placed ${text}`), metadata);
      if (text === "hold") held.push({ answer: reply, cancelled: () => call.cancelled });
      else reply();
    },
    collect(call: AsyncIterable<Buffer> & Parameters<typeof note>[1], answer: (error: null, value: Buffer) => void) {
      note(ORDERS.collect.path, call);
      void (async () => {
        const texts: string[] = [];
        for await (const one of call) texts.push(one.toString());
        answer(null, Buffer.from(texts.join("+")));
      })();
    },
    repeat(call: ServerDuplexStream<Buffer, Buffer> & { readonly request: Buffer }) {
      note(ORDERS.repeat.path, call);
      for (let index = 0; index < 3; index += 1) call.write(call.request);
      call.end();
    },
    chat(call: ServerDuplexStream<Buffer, Buffer>) {
      note(ORDERS.chat.path, call);
      call.on("data", (one: Buffer) => void call.write(Buffer.from(`re: ${one.toString()}`)));
      call.on("end", () => call.end());
    },
  } as never);
  if (options.healthy !== undefined) {
    const { healthy } = options;
    server.addService(
      { check: { ...ORDERS.place, path: "/dapr.proto.runtime.v1.AppCallbackHealthCheck/HealthCheck" } },
      {
        check: ((_call: unknown, answer: (error: object | null, value?: Buffer) => void) =>
          healthy() ? answer(null, Buffer.alloc(0)) : answer({ code: 14, details: "ill" })) as never,
      },
    );
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port,
    seen,
    held,
    connections: () => peers.size,
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
}

function path(name: string, requestStream: boolean, responseStream: boolean) {
  return {
    path: `/shop.Orders/${name}`,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}
