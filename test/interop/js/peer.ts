// The interop peer on grpc-js: reads commands as JSON lines and answers each with one line; see ../README.md.
import {
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  compressionAlgorithms,
  credentials,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  type StatusObject,
} from "@grpc/grpc-js";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command, Outcome } from "../protocol.ts";
import { Gate, KINDS, pathOf, pattern } from "../protocol.ts";

const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;
const same = (bytes: Buffer): Buffer => bytes;

interface AnyCall {
  readonly metadata: Metadata;
  sendMetadata(metadata: Metadata): void;
  getDeadline(): Date | number;
  on(event: "cancelled", listener: () => void): unknown;
}

const gate = new Gate();
let cancelled = 0;

/** What comes before the answer, for all kinds: metadata, the wait, the gate. Answers with the trailers. */
async function begin(call: AnyCall): Promise<Metadata> {
  const { metadata } = call;
  const headers = new Metadata();
  const trailers = new Metadata();
  for (const key of Object.keys(metadata.getMap())) {
    const target = key.startsWith("echo-") ? headers : key.startsWith("trail-") ? trailers : undefined;
    for (const value of metadata.get(key)) target?.add(key, value);
  }
  if (metadata.get("x-show-timeout").length > 0) {
    headers.set("seen-timeout-ms", String(Math.trunc(Number(call.getDeadline()) - Date.now())));
  }
  if (Object.keys(headers.getMap()).length > 0) call.sendMetadata(headers);
  const abort = new AbortController();
  call.on("cancelled", () => abort.abort());
  try {
    await sleep(numberIn(metadata, "x-delay-ms") ?? 0, undefined, { signal: abort.signal });
  } catch (error) {
    cancelled += 1;
    throw error;
  }
  await gate.wait(numberIn(metadata, "x-gate") ?? 0);
  return trailers;
}

function numberIn(metadata: Metadata, key: string): number | undefined {
  const [value] = metadata.get(key);
  return value === undefined ? undefined : Number(value);
}

/** The status that the caller asked for. */
function statusOf(metadata: Metadata, trailers: Metadata): StatusObject | undefined {
  const code = numberIn(metadata, "x-status") ?? 0;
  if (code === 0) return undefined;
  const [details] = metadata.get("x-details-bin");
  if (details !== undefined) trailers.set("grpc-status-details-bin", details);
  const [message] = metadata.get("x-message-bin");
  return { code, details: message === undefined ? "" : message.toString(), metadata: trailers };
}

const unary: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
  const answer = async (): Promise<void> => {
    const trailers = await begin(call);
    const error = statusOf(call.metadata, trailers);
    const size = numberIn(call.metadata, "x-size");
    if (error === undefined) callback(null, size === undefined ? call.request : pattern(0, size), trailers);
    else callback(error);
  };
  answer().catch(() => undefined);
};

const collect: handleClientStreamingCall<Buffer, Buffer> = (call, callback) => {
  const total = async (): Promise<void> => {
    const trailers = await begin(call);
    let count = 0;
    let bytes = 0;
    for await (const request of call as AsyncIterable<Buffer>) {
      count += 1;
      bytes += request.length;
    }
    const error = statusOf(call.metadata, trailers);
    if (error === undefined) callback(null, Buffer.from(`${count} ${bytes}`), trailers);
    else callback(error);
  };
  total().catch(() => undefined);
};

const repeat: handleServerStreamingCall<Buffer, Buffer> = (call) => {
  const send = async (): Promise<void> => {
    const trailers = await begin(call);
    const count = numberIn(call.metadata, "x-count") ?? 1;
    for (let i = 0; i < count; i += 1) {
      if (!call.write(pattern(i, numberIn(call.metadata, "x-size") ?? 0))) await once(call, "drain");
    }
    const error = statusOf(call.metadata, trailers);
    if (error === undefined) call.end(trailers);
    else call.emit("error", error);
  };
  send().catch(() => undefined);
};

const chat: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
  const finish = (trailers: Metadata): void => {
    const error = statusOf(call.metadata, trailers);
    if (error === undefined) call.end(trailers);
    else call.emit("error", error);
  };
  begin(call).then(
    (trailers) => {
      const early = numberIn(call.metadata, "x-early") ?? -1;
      let count = 0;
      call.on("data", (request: Buffer) => {
        if (count === early) return;
        count += 1;
        if (!call.write(request)) {
          call.pause();
          call.once("drain", () => call.resume());
        }
        if (count === early) finish(trailers);
      });
      call.on("end", () => {
        if (count !== early) finish(trailers);
      });
    },
    () => undefined,
  );
};

function definition(kind: keyof typeof KINDS) {
  return {
    path: pathOf(kind),
    requestStream: KINDS[kind].requestStream,
    responseStream: KINDS[kind].responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

const servers: Server[] = [];
const channels: Client[] = [];

function optionsOf(command: Command): Record<string, number> {
  return {
    "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
    "grpc.max_send_message_length": MESSAGE_BYTES_MAX,
    ...(command.windowBytes === undefined ? {} : { "grpc-node.flow_control_window": command.windowBytes }),
    ...(command.streamsMax === undefined ? {} : { "grpc.max_concurrent_streams": command.streamsMax }),
    ...(command.keepaliveMs === undefined
      ? {}
      : {
          "grpc.keepalive_time_ms": command.keepaliveMs,
          "grpc.keepalive_timeout_ms": command.keepaliveTimeoutMs ?? 20_000,
          "grpc.keepalive_permit_without_calls": 1,
        }),
  };
}

async function serve(command: Command): Promise<Partial<Outcome>> {
  const server = new Server(optionsOf(command));
  server.addService(
    {
      Unary: definition("unary"),
      Collect: definition("collect"),
      Repeat: definition("repeat"),
      Chat: definition("chat"),
    },
    { Unary: unary, Collect: collect, Repeat: repeat, Chat: chat },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  servers.push(server);
  return { server: servers.length - 1, port };
}

function dial(command: Command): Partial<Outcome> {
  const address = command.address ?? "";
  const gzip = command.gzip === true ? { "grpc.default_compression_algorithm": compressionAlgorithms.gzip } : {};
  channels.push(
    new Client(address, credentials.createInsecure(), {
      ...optionsOf(command),
      ...gzip,
      "grpc.use_local_subchannel_pool": 1,
    }),
  );
  return { channel: channels.length - 1 };
}

function fromWire(pairs: Command["metadata"]): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of pairs ?? []) {
    metadata.add(key, key.endsWith("-bin") ? Buffer.from(value, "base64") : value);
  }
  return metadata;
}

function toWire(metadata: Metadata | undefined): [string, string][] {
  const pairs: [string, string][] = [];
  for (const key of Object.keys(metadata?.getMap() ?? {})) {
    for (const value of metadata?.get(key) ?? []) {
      pairs.push([key, typeof value === "string" ? value : value.toString("base64")]);
    }
  }
  return pairs;
}

type ClientCall =
  | ClientUnaryCall
  | ClientWritableStream<Buffer>
  | ClientReadableStream<Buffer>
  | ClientDuplexStream<Buffer, Buffer>;

/** What one call came to. */
interface CallOutcome {
  readonly status: StatusObject;
  readonly headers: Metadata | undefined;
  readonly replies: number;
  readonly faults: number;
}

function callOnce(client: Client, command: Command): Promise<CallOutcome> {
  const { kind = "unary", size = 0, count = 0 } = command;
  const metadata = fromWire(command.metadata);
  const replySize = numberIn(metadata, "x-size") ?? size;
  let replies = 0;
  let faults = 0;
  const take = (reply: Buffer): void => {
    const expected = kind === "collect" ? Buffer.from(`${count} ${count * size}`) : pattern(replies, replySize);
    replies += 1;
    if (!reply.equals(expected)) faults += 1;
  };
  return new Promise((resolve) => {
    const options = command.timeoutMs === undefined ? {} : { deadline: Date.now() + command.timeoutMs };
    const path = command.path ?? pathOf(kind);
    const done = (_error: ServiceError | null, reply?: Buffer): void => {
      if (reply !== undefined) take(reply);
    };
    const call: ClientCall =
      kind === "unary"
        ? client.makeUnaryRequest(path, same, same, pattern(0, size), metadata, options, done)
        : kind === "collect"
          ? client.makeClientStreamRequest(path, same, same, metadata, options, done)
          : kind === "repeat"
            ? client.makeServerStreamRequest(path, same, same, pattern(0, size), metadata, options)
            : client.makeBidiStreamRequest(path, same, same, metadata, options);
    let headers: Metadata | undefined;
    call.on("metadata", (got: Metadata) => (headers = got));
    call.on("error", () => undefined);
    call.on("status", (status: StatusObject) =>
      // The reply of a unary call is told after its status.
      setImmediate(() => resolve({ status, headers, replies, faults })),
    );
    if (kind === "repeat" || kind === "chat") (call as ClientReadableStream<Buffer>).on("data", take);
    if (kind === "collect" || kind === "chat") {
      sendAll(call as ClientWritableStream<Buffer>, count, size).catch(() => undefined);
    }
    if (command.cancelAfterMs !== undefined) setTimeout(() => call.cancel(), command.cancelAfterMs);
  });
}

async function sendAll(call: ClientWritableStream<Buffer>, count: number, size: number): Promise<void> {
  for (let i = 0; i < count; i += 1) if (!call.write(pattern(i, size))) await once(call, "drain");
  call.end();
}

async function callMany(client: Client, command: Command): Promise<Partial<Outcome>> {
  const until = Date.now() + (command.forMs ?? 0);
  const codes: Record<string, number> = {};
  let told: CallOutcome | undefined;
  let replies = 0;
  let faults = 0;
  const work = async (): Promise<void> => {
    do {
      const one = await callOnce(client, command);
      codes[one.status.code] = (codes[one.status.code] ?? 0) + 1;
      replies += one.replies;
      faults += one.faults;
      if (told === undefined || told.status.code === 0) told = one;
    } while (Date.now() < until);
  };
  await Promise.all(Array.from({ length: command.parallel ?? 1 }, work));
  const trailers = toWire(told?.status.metadata);
  return {
    code: told?.status.code ?? -1,
    message: told?.status.details ?? "",
    details: trailers.find(([key]) => key === "grpc-status-details-bin")?.[1] ?? "",
    headers: toWire(told?.headers),
    trailers,
    replies,
    faults,
    codes,
  };
}

async function run(command: Command): Promise<Partial<Outcome>> {
  switch (command.do) {
    case "serve":
      return serve(command);
    case "stop":
      await new Promise<void>((resolve) => servers[command.server ?? 0]?.tryShutdown(() => resolve()));
      return {};
    case "dial":
      return dial(command);
    case "hangup":
      channels[command.channel ?? 0]?.close();
      return {};
    case "call":
      return callMany(channels[command.channel ?? 0] as Client, command);
    case "cancelled":
      return { cancelled };
  }
}

async function answer(command: Command): Promise<void> {
  const result = await run(command).catch((error: unknown) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify({ id: command.id, ...result })}\n`);
}

createInterface({ input: process.stdin })
  .on("line", (line) => void answer(JSON.parse(line) as Command))
  .on("close", () => process.exit(0));
