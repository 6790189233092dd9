import * as grpc from "@grpc/grpc-js";
import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { nodeTransport } from "../../src/net/h2/node/transport.ts";
import { createH2Transport } from "../../src/net/h2/protocol/transport.ts";
import { H2_ERROR, type StreamHandler, type Transport, type TransportStream } from "../../src/net/h2/transport.ts";

/** What is measured: two transports of ours and the gRPC library of Node's users. */
export const KINDS = ["own", "node:http2", "grpc-js"] as const;
export type Kind = (typeof KINDS)[number];

/** As in `figures.md` of Dapr's measurements: a small request, a KiB in return; gRPC's prefix of five bytes included. */
const REQUEST = framed(260);
const RESPONSE = framed(1024);
const PATH = "/bench.Echo/Call";
const REQUEST_HEADERS = ["te", "trailers", "content-type", "application/grpc", "user-agent", "bench"];
const RESPONSE_HEAD = { status: 200, headers: ["content-type", "application/grpc"] };
const TRAILERS = ["grpc-status", "0"];

/** Answers unary calls with bytes that nobody parses. @returns the port */
export async function serve(kind: Kind): Promise<number> {
  if (kind === "grpc-js") return await serveGrpcJs((_request, answer) => answer(null, RESPONSE.subarray(5)));
  return await listen(kind, () => {
    let out: TransportStream | undefined;
    const handler: StreamHandler = {
      onData() {},
      onEnd() {
        out?.respond(RESPONSE_HEAD, false);
        out?.send(RESPONSE, false);
        out?.sendTrailers(TRAILERS);
      },
      onClose() {},
    };
    return (stream) => {
      out = stream;
      return handler;
    };
  });
}

/** Passes unary calls on to another server: streams with back-pressure for the transports, calls of raw bytes for grpc-js. */
export async function proxy(kind: Kind, to: number): Promise<number> {
  const target = `127.0.0.1:${to}`;
  if (kind === "grpc-js") {
    const client = new grpc.Client(target, grpc.credentials.createInsecure());
    return await serveGrpcJs((request, answer) =>
      client.makeUnaryRequest(PATH, raw, raw, request, (error, reply) => answer(error, reply)),
    );
  }
  const client = transportOf(kind).createClient(target);
  return await listen(kind, () => (stream, head) => {
    const { up, down } = pipes(stream);
    down.to = client.open(head, false, up);
    return down;
  });
}

/** Makes calls, some at a time, until `count` are done. */
export function caller(kind: Kind, to: number): (count: number, atATime: number) => Promise<void> {
  const target = `127.0.0.1:${to}`;
  if (kind === "grpc-js") {
    const client = new grpc.Client(target, grpc.credentials.createInsecure());
    const request = REQUEST.subarray(5);
    return async (count, atATime) => {
      await repeat(count, atATime, (done) => {
        client.makeUnaryRequest(PATH, raw, raw, request, (error, reply) => {
          if (error !== null || reply?.length !== 1024) throw error ?? new Error("a wrong answer");
          done();
        });
      });
    };
  }
  const client = transportOf(kind).createClient(target);
  const head = { method: "POST", path: PATH, scheme: "http", authority: target, headers: REQUEST_HEADERS };
  return async (count, atATime) => {
    await repeat(count, atATime, (done) => {
      let bytes = 0;
      const stream = client.open(head, false, {
        onData(chunk) {
          bytes += chunk.length;
        },
        onEnd() {},
        onClose(code) {
          if (code !== 0 || bytes !== RESPONSE.length) throw new Error(`a wrong answer: ${code}, ${bytes} bytes`);
          done();
        },
      });
      stream.send(REQUEST, true);
    });
  };
}

function transportOf(kind: Kind): Transport {
  return kind === "own" ? createH2Transport() : nodeTransport;
}

type Accept = Parameters<Transport["createServer"]>[0];

async function listen(kind: Kind, accept: () => Accept): Promise<number> {
  const server = transportOf(kind).createServer((stream, head, peer) => accept()(stream, head, peer));
  const listener = createServer({ noDelay: true }, (socket) => server.accept(socket)).listen(0, "127.0.0.1");
  await once(listener, "listening");
  return (listener.address() as AddressInfo).port;
}

type Answer = (error: Error | null, reply?: Buffer) => void;

async function serveGrpcJs(handle: (request: Buffer, answer: Answer) => void): Promise<number> {
  const server = new grpc.Server();
  const method = {
    path: PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: raw,
    requestDeserialize: raw,
    responseSerialize: raw,
    responseDeserialize: raw,
  };
  server.addService(
    { Call: method },
    {
      Call: (call: grpc.ServerUnaryCall<Buffer, Buffer>, answer: grpc.sendUnaryData<Buffer>) =>
        handle(call.request, (error, reply) => answer(error, reply)),
    },
  );
  return await new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

function raw(bytes: Buffer): Buffer {
  return bytes;
}

interface Downward extends StreamHandler {
  to: TransportStream | undefined;
}

/** The two ends of one proxied call. */
function pipes(stream: TransportStream): { up: StreamHandler; down: Downward } {
  const down: Downward = {
    to: undefined,
    onData(chunk) {
      if (down.to?.send(chunk, false) === false) stream.hold();
    },
    onEnd: () => void down.to?.send(NOTHING, true),
    onDrain: () => down.to?.resume(),
    onClose: (code) => {
      if (code !== 0) down.to?.reset(H2_ERROR.cancel);
    },
  };
  const up: StreamHandler = {
    onHead: (head, endStream) => stream.respond(head, endStream),
    onData(chunk) {
      if (!stream.send(chunk, false)) down.to?.hold();
    },
    onTrailers: (trailers) => stream.sendTrailers(trailers),
    onEnd: () => void stream.send(NOTHING, true),
    onDrain: () => stream.resume(),
    onClose: (code) => {
      if (code !== 0) stream.reset(H2_ERROR.cancel);
    },
  };
  return { up, down };
}

async function repeat(count: number, atATime: number, call: (done: () => void) => void): Promise<void> {
  await new Promise<void>((resolve) => {
    let started = 0;
    let ended = 0;
    const next = (): void => {
      if (started === count) return;
      started += 1;
      call(() => {
        ended += 1;
        if (ended === count) resolve();
        else next();
      });
    };
    for (let i = 0; i < Math.min(atATime, count); i += 1) next();
  });
}

function framed(bytes: number): Buffer {
  const message = Buffer.alloc(5 + bytes, 0x61);
  message[0] = 0;
  message.writeUInt32BE(bytes, 1);
  return message;
}

const NOTHING = new Uint8Array(0);
