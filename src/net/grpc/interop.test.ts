import {
  Client,
  credentials,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata as JsMetadata,
  Server,
  ServerCredentials,
  type ServiceError,
  status as jsStatus,
} from "@grpc/grpc-js";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { nodeTransport } from "../h2/node/transport.ts";
import { listen, type Listener } from "../http/listener.ts";
import { createGrpcClient } from "./client.ts";
import { metadataOf } from "./metadata.ts";
import { GrpcServer, rawMethod } from "./server.ts";
import { GrpcError } from "./status.ts";
import type { GrpcClient } from "./types.ts";

const same = (bytes: Buffer): Buffer => bytes;
const toBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
const text = (value: string): Buffer => Buffer.from(value);
const MEGABYTES_5 = Buffer.alloc(5 * 1024 * 1024, "x");
const unary = rawMethod("/test.Echo/Unary", "unary");
const clientStream = rawMethod("/test.Echo/Collect", "client_streaming");
const serverStream = rawMethod("/test.Echo/Repeat", "server_streaming");
const bidi = rawMethod("/test.Echo/Chat", "bidi_streaming");

async function* three(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < 3; i += 1) yield bytes;
}

function echoServer(): GrpcServer {
  const server = new GrpcServer({ messageBytesMax: 8 * 1024 * 1024 });
  server.add(unary, (request, call) => {
    call.responseHeaders.set("x-head", call.metadata.get("x-in") ?? "");
    call.responseTrailers.set("x-trail-bin", call.metadata.getBinary("x-in-bin") ?? new Uint8Array());
    if (Buffer.from(request).toString() === "fail") {
      throw new GrpcError(GRPC_STATUS.ABORTED, "nope: ünïcode\n100%", {
        detailsBin: text("details"),
        metadata: metadataOf({ why: "because" }),
      });
    }
    return request;
  });
  server.add(clientStream, async (requests) => {
    const parts: Uint8Array[] = [];
    for await (const one of requests) parts.push(one);
    return Buffer.concat(parts);
  });
  server.add(serverStream, (request) => three(request));
  server.add(bidi, async function* (requests) {
    for await (const one of requests) yield one;
  });
  return server;
}

describe("our server with grpc-js as client", () => {
  let listener: Listener;
  let client: Client;
  beforeAll(async () => {
    listener = await listen({ port: 0 }, { h2: nodeTransport.createServer(echoServer().accept) });
    const options = { "grpc.max_receive_message_length": -1 };
    client = new Client(listener.address, credentials.createInsecure(), options);
  });
  afterAll(async () => {
    client.close();
    await listener.close(1000);
  });

  const callUnary = (bytes: Buffer, metadata = new JsMetadata()) =>
    new Promise<{ value: Buffer; head: JsMetadata; trail: JsMetadata }>((resolve, reject) => {
      let head = new JsMetadata();
      let value: Buffer = Buffer.alloc(0);
      const call = client.makeUnaryRequest(unary.path, same, same, bytes, metadata, (error, result) => {
        if (error !== null) reject(error);
        else value = result as Buffer;
      });
      call.on("metadata", (got: JsMetadata) => (head = got));
      call.on("status", (got: { metadata: JsMetadata }) => resolve({ value, head, trail: got.metadata }));
    });

  test("unary, with metadata both ways", async () => {
    const metadata = new JsMetadata();
    metadata.set("x-in", "hello");
    metadata.set("x-in-bin", text("\0\x01bytes"));
    const { value, head, trail } = await callUnary(text("hi"), metadata);
    expect(value.toString()).toBe("hi");
    expect(head.get("x-head")).toEqual(["hello"]);
    expect(trail.get("x-trail-bin")).toEqual([text("\0\x01bytes")]);
  });

  test("an empty and a 5 MB message", async () => {
    expect((await callUnary(Buffer.alloc(0))).value).toHaveLength(0);
    expect((await callUnary(MEGABYTES_5)).value.equals(MEGABYTES_5)).toBe(true);
  });

  test("a message over the limit is RESOURCE_EXHAUSTED in grpc-go's words", async () => {
    const bytes = Buffer.alloc(8 * 1024 * 1024 + 1);
    const expected = {
      code: jsStatus.RESOURCE_EXHAUSTED,
      details: `grpc: received message larger than max (${bytes.length} vs. 8388608)`,
    };
    await expect(callUnary(bytes)).rejects.toMatchObject(expected);
  });

  test("an error keeps code, message, details and trailers", async () => {
    const error = (await callUnary(text("fail")).catch((one: unknown) => one)) as ServiceError;
    expect(error).toMatchObject({ code: jsStatus.ABORTED, details: "nope: ünïcode\n100%" });
    expect(error.metadata.get("why")).toEqual(["because"]);
    expect(error.metadata.get("grpc-status-details-bin")).toEqual([text("details")]);
  });

  test("gzip-compressed requests", async () => {
    const zipped = new Client(listener.address, credentials.createInsecure(), {
      "grpc.default_compression_algorithm": 2,
      "grpc.max_receive_message_length": -1,
    });
    const bytes = Buffer.concat([Buffer.alloc(200_000, "compressible"), text("end")]);
    const got = await new Promise<Buffer>((resolve, reject) => {
      zipped.makeUnaryRequest(unary.path, same, same, bytes, (error, value) =>
        error === null ? resolve(value as Buffer) : reject(error),
      );
    });
    expect(got.equals(bytes)).toBe(true);
    const streamed = await new Promise<Buffer>((resolve, reject) => {
      const call = zipped.makeClientStreamRequest(clientStream.path, same, same, (error, value) =>
        error === null ? resolve(value as Buffer) : reject(error),
      );
      for (let i = 0; i < 20; i += 1) call.write(i % 2 === 0 ? bytes : text("small"));
      call.end();
    });
    expect(streamed).toHaveLength(10 * bytes.length + 50);
    zipped.close();
  });

  test("client, server and bidirectional streams", async () => {
    const collected = await new Promise<Buffer>((resolve, reject) => {
      const call = client.makeClientStreamRequest(clientStream.path, same, same, (error, value) =>
        error === null ? resolve(value as Buffer) : reject(error),
      );
      for (let i = 0; i < 500; i += 1) call.write(text(`${i},`));
      call.end();
    });
    expect(collected.toString()).toBe(Array.from({ length: 500 }, (_, i) => `${i},`).join(""));
    const repeated: string[] = [];
    for await (const one of client.makeServerStreamRequest(serverStream.path, same, same, text("again")))
      repeated.push(String(one));
    expect(repeated).toEqual(["again", "again", "again"]);
    const chat = client.makeBidiStreamRequest(bidi.path, same, same);
    const heard: string[] = [];
    chat.write(text("one"));
    for await (const one of chat) {
      heard.push(String(one));
      if (heard.length === 1) chat.write(text("two"));
      else chat.end();
    }
    expect(heard).toEqual(["one", "two"]);
  });

  test("20,000 messages of 2 KB in each direction", async () => {
    const chat = client.makeBidiStreamRequest(bidi.path, same, same);
    const bytes = Buffer.alloc(2048, "m");
    let sent = 0;
    const pump = (): void => {
      while (sent < 20_000) {
        sent += 1;
        if (!chat.write(bytes)) {
          chat.once("drain", pump);
          return;
        }
      }
      chat.end();
    };
    pump();
    let length = 0;
    for await (const one of chat) length += (one as Buffer).length;
    expect(length).toBe(20_000 * 2048);
  });

  test("metadata over the limit is refused, below it is not", async () => {
    const metadata = new JsMetadata();
    metadata.set("x-in", "y".repeat(30_000));
    expect((await callUnary(text("ok"), metadata)).head.get("x-head")).toEqual(["y".repeat(30_000)]);
    metadata.set("x-in", "y".repeat(100_000));
    await expect(callUnary(text("ok"), metadata)).rejects.toMatchObject({ code: expect.any(Number) as number });
    expect((await callUnary(text("still here"))).value.toString()).toBe("still here");
  });

  test("unknown services and methods in grpc-go's words", async () => {
    const ask = (path: string) =>
      new Promise<unknown>((resolve) => {
        client.makeUnaryRequest(path, same, same, text(""), (error) => resolve(error?.details));
      });
    expect(await ask("/nobody.Here/Go")).toBe("unknown service nobody.Here");
    expect(await ask("/test.Echo/Sing")).toBe("unknown method Sing for service test.Echo");
  });
});

describe("our client with grpc-js as server", () => {
  const server = new Server({ "grpc.max_receive_message_length": -1 });
  let client: GrpcClient;
  let address = "";
  beforeAll(async () => {
    const common = {
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    };
    server.addService(
      {
        Unary: { ...common, path: unary.path, requestStream: false, responseStream: false },
        Collect: { ...common, path: clientStream.path, requestStream: true, responseStream: false },
        Repeat: { ...common, path: serverStream.path, requestStream: false, responseStream: true },
        Chat: { ...common, path: bidi.path, requestStream: true, responseStream: true },
      },
      {
        Unary: ((call, done) => {
          if (String(call.request) === "hang") return;
          if (String(call.request) === "fail") {
            const metadata = new JsMetadata();
            metadata.set("why", "because");
            done({ code: jsStatus.NOT_FOUND, details: "not % here", metadata });
            return;
          }
          const head = new JsMetadata();
          head.set("x-head", String(call.metadata.get("x-in")[0]));
          call.sendMetadata(head);
          const trail = new JsMetadata();
          trail.set("x-trail-bin", text("bytes"));
          done(null, call.request, trail);
        }) satisfies handleUnaryCall<Buffer, Buffer>,
        Collect: ((call, done) => {
          const parts: Buffer[] = [];
          call.on("data", (one: Buffer) => parts.push(one));
          call.on("end", () => done(null, Buffer.concat(parts)));
        }) satisfies handleClientStreamingCall<Buffer, Buffer>,
        Repeat: ((call) => {
          for (let i = 0; i < 3; i += 1) call.write(call.request);
          call.end();
        }) satisfies handleServerStreamingCall<Buffer, Buffer>,
        Chat: ((call) => {
          call.on("data", (one: Buffer) => call.write(one));
          call.on("end", () => call.end());
        }) satisfies handleBidiStreamingCall<Buffer, Buffer>,
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    address = `127.0.0.1:${port}`;
    client = createGrpcClient(nodeTransport, address, { messageBytesMax: 8 * 1024 * 1024 });
  });
  afterAll(async () => {
    await client.close();
    server.forceShutdown();
  });

  test("unary, with metadata both ways, and 5 MB", async () => {
    const result = await client.unary(unary, text("hi"), { metadata: metadataOf({ "x-in": "hello" }) });
    expect(toBuffer(result.response).toString()).toBe("hi");
    expect(result.headers.get("x-head")).toBe("hello");
    expect(toBuffer(result.trailers.getBinary("x-trail-bin") as Uint8Array).toString()).toBe("bytes");
    expect(toBuffer((await client.unary(unary, MEGABYTES_5)).response).equals(MEGABYTES_5)).toBe(true);
  });

  test("a status is thrown with its trailers", async () => {
    const error = (await client.unary(unary, text("fail")).catch((one: unknown) => one)) as GrpcError;
    expect(error).toMatchObject({ code: GRPC_STATUS.NOT_FOUND, message: "not % here" });
    expect(error.metadata?.get("why")).toBe("because");
  });

  test("an answer over the limit", async () => {
    const small = createGrpcClient(nodeTransport, address, { messageBytesMax: 10 });
    await expect(small.unary(unary, text("hello world"))).rejects.toMatchObject({
      code: GRPC_STATUS.RESOURCE_EXHAUSTED,
      message: "grpc: received message larger than max (11 vs. 10)",
    });
    await small.close();
  });

  test("client, server and bidirectional streams", async () => {
    const collect = client.stream(clientStream);
    for (let i = 0; i < 500; i += 1) await collect.send(text(`${i},`));
    collect.closeSend();
    const collected: string[] = [];
    for await (const one of collect.responses) collected.push(toBuffer(one).toString());
    expect(collected).toEqual([Array.from({ length: 500 }, (_, i) => `${i},`).join("")]);

    const repeat = client.stream(serverStream);
    await repeat.send(text("again"));
    repeat.closeSend();
    const repeated: string[] = [];
    for await (const one of repeat.responses) repeated.push(toBuffer(one).toString());
    expect(repeated).toEqual(["again", "again", "again"]);
    expect((await repeat.trailers).get("missing")).toBeUndefined();

    const chat = client.stream(bidi);
    const heard: string[] = [];
    await chat.send(text("one"));
    for await (const one of chat.responses) {
      heard.push(toBuffer(one).toString());
      if (heard.length === 1) await chat.send(text("two"));
      else chat.closeSend();
    }
    expect(heard).toEqual(["one", "two"]);
  });

  test("a deadline and a cancellation end the call", async () => {
    await expect(client.unary(unary, text("hang"), { timeoutMs: 30 })).rejects.toMatchObject({
      code: GRPC_STATUS.DEADLINE_EXCEEDED,
    });
    const controller = new AbortController();
    const call = client.unary(unary, text("hang"), { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(call).rejects.toMatchObject({ code: GRPC_STATUS.CANCELLED });
    await expect(client.unary(unary, text("hang"), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: GRPC_STATUS.CANCELLED,
    });
  });

  test("an unknown method", async () => {
    await expect(client.unary(rawMethod("/no.Where/Go", "unary"), text(""))).rejects.toMatchObject({
      code: GRPC_STATUS.UNIMPLEMENTED,
    });
  });

  test("nobody there is UNAVAILABLE and says why", async () => {
    const free = createServer();
    await new Promise<void>((resolve) => free.listen(0, "127.0.0.1", resolve));
    const { port } = free.address() as { port: number };
    await new Promise((resolve) => free.close(resolve));
    const lonely = createGrpcClient(nodeTransport, `127.0.0.1:${port}`);
    await expect(lonely.unary(unary, text("x"))).rejects.toMatchObject({
      code: GRPC_STATUS.UNAVAILABLE,
      message: `connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:${port}: connect: connection refused"`,
    });
    await lonely.close();
  });
});
