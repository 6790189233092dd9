import { connect, createServer, type Server, type Socket } from "node:net";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { createGrpcClient } from "../../src/net/grpc/client.ts";
import { metadataOf } from "../../src/net/grpc/metadata.ts";
import { GrpcServer } from "../../src/net/grpc/server.ts";
import { GrpcError } from "../../src/net/grpc/status.ts";
import type { GrpcClient, Metadata } from "../../src/net/grpc/types.ts";
import type { CutOff, Transport, TransportOptions, TransportServer } from "../../src/net/h2/transport.ts";
import { EchoService, MESSAGE_BYTES_MAX, METHODS } from "./echo.ts";
import { type Command, type Outcome, pattern } from "./protocol.ts";

/** Once a server of ours may still wait for its streams, in milliseconds. */
const GRACE_MS = 20_000;

/** One port whose connections go to a server that can be exchanged, as by a deployment that rolls. */
export class OurServer {
  readonly echo = new EchoService();
  readonly cutOffs: CutOff[] = [];
  private readonly transport: Transport;
  private readonly options: TransportOptions;
  private readonly listener: Server;
  private current: TransportServer;

  constructor(transport: Transport, options: TransportOptions = {}) {
    this.transport = transport;
    this.options = { ...options, onCutOff: (cutOff) => this.cutOffs.push(cutOff) };
    this.current = transport.createServer(this.echo.server.accept, this.options);
    this.listener = createServer({ noDelay: true }, (socket) => this.current.accept(socket));
  }

  get port(): number {
    return (this.listener.address() as { port: number }).port;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.listener.listen(0, "127.0.0.1", resolve));
  }

  /** New connections find a new server; the old one says GOAWAY and ends with its calls. */
  async roll(): Promise<void> {
    const { current } = this;
    this.current = this.transport.createServer(this.echo.server.accept, this.options);
    await current.close(GRACE_MS);
  }

  async close(graceMs: number): Promise<void> {
    this.listener.close();
    await this.current.close(graceMs);
  }
}

/** Servers of ours in front of those of a peer: every call is passed on. */
export class OurRelays {
  private readonly transport: Transport;
  private readonly ends: (() => Promise<void>)[] = [];

  constructor(transport: Transport) {
    this.transport = transport;
  }

  /** Has a peer do something; where it serves, the port is one of ours that leads to its own. */
  async before(
    peer: { run(command: Omit<Command, "id">): Promise<Outcome> },
    command: Omit<Command, "id">,
  ): Promise<Outcome> {
    const outcome = await peer.run(command);
    return command.do === "serve" ? { ...outcome, port: await this.leadTo(outcome.port, command) } : outcome;
  }

  private async leadTo(
    port: number,
    { windowBytes, headerBytesMax, streamsMax }: Omit<Command, "id">,
  ): Promise<number> {
    const options: TransportOptions = {
      ...(windowBytes === undefined ? {} : { streamWindowBytes: windowBytes }),
      ...(headerBytesMax === undefined ? {} : { headerBytesMax }),
      ...(streamsMax === undefined ? {} : { streamsMax }),
    };
    const client = createGrpcClient(this.transport, `127.0.0.1:${port}`, { transport: options });
    const server = new GrpcServer({ messageBytesMax: MESSAGE_BYTES_MAX });
    server.passUnknown((call) => {
      const headers: string[] = [];
      for (let index = 0; index + 1 < call.headers.length; index += 2) {
        const name = call.headers[index] as string;
        if (!HOP_HEADERS.has(name)) headers.push(name, call.headers[index + 1] as string);
      }
      return call.passOn(client, headers);
    });
    const h2 = this.transport.createServer(server.accept, options);
    const listener = createServer({ noDelay: true }, (socket) => h2.accept(socket));
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    this.ends.push(async () => {
      listener.close();
      await h2.close(0);
      await client.close();
    });
    return (listener.address() as { port: number }).port;
  }

  async end(): Promise<void> {
    await Promise.all(this.ends.map((end) => end()));
  }
}

const HOP_HEADERS: ReadonlySet<string> = new Set(["te", "user-agent", "grpc-timeout"]);

/** Our own stack behind the same commands that the other peers take. */
export class OurPeer {
  readonly servers: OurServer[] = [];
  private readonly clients: GrpcClient[] = [];
  private readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  async run(command: Omit<Command, "id">): Promise<Outcome> {
    return { ...NOTHING, ...(await this.outcomeOf(command)) };
  }

  /** A client that connects to whatever port is the right one at that moment. */
  dial(portNow: () => number, options: Omit<Command, "id" | "do"> = {}): number {
    const { windowBytes, headerBytesMax, keepaliveMs, keepaliveTimeoutMs } = options;
    this.clients.push(
      createGrpcClient(this.transport, `127.0.0.1:${portNow()}`, {
        messageBytesMax: MESSAGE_BYTES_MAX,
        transport: {
          connect: (): Socket => connect({ host: "127.0.0.1", port: portNow(), noDelay: true }),
          ...(windowBytes === undefined ? {} : { streamWindowBytes: windowBytes }),
          ...(headerBytesMax === undefined ? {} : { headerBytesMax }),
          ...(keepaliveMs === undefined ? {} : { keepaliveMs }),
          ...(keepaliveTimeoutMs === undefined ? {} : { keepaliveTimeoutMs }),
        },
      }),
    );
    return this.clients.length - 1;
  }

  async end(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    await Promise.all(this.servers.map((server) => server.close(0)));
  }

  private async outcomeOf(command: Omit<Command, "id">): Promise<Partial<Outcome>> {
    switch (command.do) {
      case "serve":
        return this.serve(command);
      case "stop":
        await this.servers[command.server ?? 0]?.close(GRACE_MS);
        return {};
      case "dial":
        return { channel: this.dial(() => Number(command.address?.split(":")[1]), command) };
      case "hangup":
        await this.clients[command.channel ?? 0]?.close();
        return {};
      case "call":
        return callMany(this.clients[command.channel ?? 0] as GrpcClient, command);
      case "cancelled":
        return { cancelled: this.servers.reduce((sum, { echo }) => sum + echo.cancelled, 0) };
    }
  }

  private async serve(command: Omit<Command, "id">): Promise<Partial<Outcome>> {
    const { windowBytes, streamsMax, headerBytesMax, keepaliveMs, keepaliveTimeoutMs } = command;
    const server = new OurServer(this.transport, {
      ...(windowBytes === undefined ? {} : { streamWindowBytes: windowBytes }),
      ...(streamsMax === undefined ? {} : { streamsMax }),
      ...(headerBytesMax === undefined ? {} : { headerBytesMax }),
      ...(keepaliveMs === undefined ? {} : { keepaliveMs }),
      ...(keepaliveTimeoutMs === undefined ? {} : { keepaliveTimeoutMs }),
    });
    await server.listen();
    this.servers.push(server);
    return { server: this.servers.length - 1, port: server.port };
  }
}

const NOTHING: Outcome = {
  id: 0,
  server: 0,
  port: 0,
  channel: 0,
  cancelled: 0,
  code: 0,
  message: "",
  details: "",
  headers: [],
  trailers: [],
  replies: 0,
  faults: 0,
  codes: {},
};

/** One call at our client, and what came of it. */
class OurCall {
  replies = 0;
  faults = 0;
  headers: Metadata | undefined = undefined;
  trailers: Metadata | undefined = undefined;
  private readonly command: Omit<Command, "id">;
  private readonly replySize: number;

  constructor(command: Omit<Command, "id">) {
    this.command = command;
    const asked = command.metadata?.find(([key]) => key === "x-size")?.[1];
    this.replySize = Number(asked ?? command.size ?? 0);
  }

  async run(client: GrpcClient): Promise<GrpcError | undefined> {
    try {
      await this.call(client);
      return undefined;
    } catch (error) {
      if (!GrpcError.is(error)) throw error;
      this.trailers = error.metadata;
      return error;
    }
  }

  private async call(client: GrpcClient): Promise<void> {
    const { kind = "unary", size = 0, timeoutMs, cancelAfterMs, path } = this.command;
    const metadata = metadataOf();
    for (const [key, value] of this.command.metadata ?? []) {
      metadata.append(key, key.endsWith("-bin") ? Buffer.from(value, "base64") : value);
    }
    const signal = cancelAfterMs === undefined ? undefined : AbortSignal.timeout(cancelAfterMs);
    const compression = this.command.gzip === true ? ("gzip" as const) : undefined;
    const options = { metadata, timeoutMs, signal, compression };
    if (kind === "unary") {
      const method = path === undefined ? METHODS.unary : { ...METHODS.unary, path };
      const result = await client.unary(method, pattern(0, size), options);
      this.headers = result.headers;
      this.trailers = result.trailers;
      this.take(result.response);
      return;
    }
    const stream = client.stream(METHODS[kind], options);
    const sent = this.sendAll(stream);
    for await (const reply of stream.responses) this.take(reply);
    await sent;
    this.headers = await stream.headers;
    this.trailers = await stream.trailers;
  }

  private async sendAll(stream: ReturnType<GrpcClient["stream"]>): Promise<void> {
    const { kind, size = 0, count = 0 } = this.command;
    try {
      for (let i = 0; i < (kind === "repeat" ? 1 : count); i += 1) await stream.send(pattern(i, size));
      stream.closeSend();
    } catch {
      // The responses tell why.
    }
  }

  private take(reply: Uint8Array): void {
    const { kind, size = 0, count = 0 } = this.command;
    const expected =
      kind === "collect" ? Buffer.from(`${count} ${count * size}`) : pattern(this.replies, this.replySize);
    this.replies += 1;
    if (!expected.equals(reply)) this.faults += 1;
  }
}

async function callMany(client: GrpcClient, command: Omit<Command, "id">): Promise<Partial<Outcome>> {
  const until = performance.now() + (command.forMs ?? 0);
  const codes: Record<string, number> = {};
  let told: OurCall | undefined;
  let failure: GrpcError | undefined;
  let replies = 0;
  let faults = 0;
  const work = async (): Promise<void> => {
    do {
      const one = new OurCall(command);
      const error = await one.run(client);
      const code = error?.code ?? GRPC_STATUS.OK;
      codes[code] = (codes[code] ?? 0) + 1;
      replies += one.replies;
      faults += one.faults;
      if (failure !== undefined) continue;
      told = one;
      failure = error;
    } while (performance.now() < until);
  };
  await Promise.all(Array.from({ length: command.parallel ?? 1 }, work));
  return {
    code: failure?.code ?? GRPC_STATUS.OK,
    message: failure?.message ?? "",
    details: Buffer.from(failure?.detailsBin ?? []).toString("base64"),
    headers: toWire(told?.headers),
    trailers: toWire(told?.trailers),
    replies,
    faults,
    codes,
  };
}

function toWire(metadata: Metadata | undefined): [string, string][] {
  return [...(metadata?.entries() ?? [])].map(([key, value]) => [
    key,
    typeof value === "string" ? value : Buffer.from(value).toString("base64"),
  ]);
}
