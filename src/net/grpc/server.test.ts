import { createRegistry } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { file_grpc_health_v1_health, Health } from "../../wire/gen/grpc/health/v1/health_pb.js";
import { ServerReflection, type ServerReflectionResponse } from "../../wire/gen/grpc/reflection/v1/reflection_pb.js";
import { MemoryTransport } from "../h2/memory.ts";
import { createGrpcClient, type GrpcClientOptions } from "./client.ts";
import { HealthService, SERVING_STATUS } from "./health.ts";
import { type HeaderMetadata, metadataOf } from "./metadata.ts";
import { methodsOf } from "./protobuf.ts";
import { addReflection } from "./reflection.ts";
import { GrpcServer, type GrpcServerOptions, rawMethod } from "./server.ts";
import { GrpcError } from "./status.ts";
import type { GrpcClient, ServerCall } from "./types.ts";

const unary = rawMethod("/test.Echo/Unary", "unary");
const bidi = rawMethod("/test.Echo/Chat", "bidi_streaming");
const serverStream = rawMethod("/test.Echo/Repeat", "server_streaming");
const clientStream = rawMethod("/test.Echo/Collect", "client_streaming");
const text = (value: string): Buffer => Buffer.from(value);
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const pause = (ms = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function pair(
  options: GrpcServerOptions = {},
  clientOptions: GrpcClientOptions = {},
): { server: GrpcServer; client: GrpcClient } {
  const transport = new MemoryTransport();
  const server = new GrpcServer(options);
  transport.bind("peer", server.accept);
  return { server, client: createGrpcClient(transport, "peer", clientOptions) };
}

describe("calls", () => {
  test("the handler sees metadata, deadline and path; the caller sees headers and trailers", async () => {
    const { server, client } = pair({}, { headers: ["dapr-api-token", "secret"], userAgent: "us" });
    let seen: ServerCall | undefined;
    server.add(unary, (request, call) => {
      seen = call;
      call.responseHeaders.set("h", "1");
      call.sendHeaders();
      call.responseTrailers.append("t", "2");
      call.responseTrailers.append("t", "3");
      return request;
    });
    const result = await client.unary(unary, text("x"), {
      timeoutMs: 5000,
      metadata: metadataOf({ "k-bin": new Uint8Array([0, 255]) }),
    });
    expect(seen?.path).toBe("/test.Echo/Unary");
    expect(seen?.timeoutMs).toBeGreaterThan(4000);
    expect(seen?.metadata.get("dapr-api-token")).toBe("secret");
    expect(seen?.metadata.getBinary("k-bin")).toEqual(new Uint8Array([0, 255]));
    expect([...(seen?.metadata.entries() ?? [])].map(([key]) => key)).toEqual([
      "dapr-api-token",
      "user-agent",
      "k-bin",
    ]);
    expect(result.headers.get("h")).toBe("1");
    expect(result.trailers.getAll("t")).toEqual(["2", "3"]);
  });

  test("what a handler throws goes through mapError; a GrpcError keeps its trailers", async () => {
    const { server, client } = pair({
      mapError: (error) =>
        GrpcError.is(error) ? error : { code: GRPC_STATUS.DATA_LOSS, message: `mapped ${String(error)}` },
    });
    server.add(unary, (request) => {
      if (request.length === 0) throw new Error("plain");
      throw new GrpcError(GRPC_STATUS.NOT_FOUND, "gone", { metadata: metadataOf({ why: "because" }) });
    });
    await expect(client.unary(unary, text(""))).rejects.toMatchObject({
      code: GRPC_STATUS.DATA_LOSS,
      message: "mapped Error: plain",
    });
    const error = (await client.unary(unary, text("x")).catch((one: unknown) => one)) as GrpcError;
    expect(error).toMatchObject({ code: GRPC_STATUS.NOT_FOUND, message: "gone" });
    expect(error.metadata?.get("why")).toBe("because");
  });

  test("a deadline ends the call on both sides, whatever the handler does", async () => {
    const { server, client } = pair();
    const reason = Promise.withResolvers<unknown>();
    server.add(unary, (_request, call) => {
      call.signal.addEventListener("abort", () => reason.resolve(call.signal.reason));
      return new Promise(() => undefined);
    });
    await expect(client.unary(unary, text("x"), { timeoutMs: 200 })).rejects.toMatchObject({
      code: GRPC_STATUS.DEADLINE_EXCEEDED,
    });
    expect(await reason.promise).toMatchObject({ name: "GrpcError" });
    await expect(client.unary(unary, text("x"), { timeoutMs: 0 })).rejects.toMatchObject({
      code: GRPC_STATUS.DEADLINE_EXCEEDED,
    });
  });

  test("the server's own deadline answers when the caller does not watch it", async () => {
    const { server, client } = pair({}, { headers: ["grpc-timeout", "20m"] });
    server.add(unary, () => new Promise(() => undefined));
    await expect(client.unary(unary, text("x"))).rejects.toMatchObject({
      code: GRPC_STATUS.DEADLINE_EXCEEDED,
      message: "context deadline exceeded",
    });
    const wrong = pair({}, { headers: ["grpc-timeout", "soon"] });
    await expect(wrong.client.unary(unary, text("x"))).rejects.toMatchObject({
      code: GRPC_STATUS.INTERNAL,
      message: 'malformed grpc-timeout: "soon"',
    });
  });

  test("cancellation reaches signal, request stream and response generator", async () => {
    const { server, client } = pair();
    const ended: string[] = [];
    server.add(bidi, async function* (requests, call) {
      call.signal.addEventListener("abort", () => ended.push("signal"));
      try {
        for await (const one of requests) yield one;
      } catch (error) {
        ended.push(`requests ${(error as GrpcError).code}`);
      } finally {
        ended.push("generator");
      }
    });
    const call = client.stream(bidi);
    await call.send(text("one"));
    for await (const one of call.responses) {
      expect(textOf(one)).toBe("one");
      break;
    }
    while (ended.length < 3) await pause(1);
    expect(ended).toEqual(["signal", "requests 1", "generator"]);
    await expect(Promise.resolve(call.send(text("two")))).rejects.toMatchObject({ code: GRPC_STATUS.CANCELLED });
  });

  test("a stream without a message, and a second message, break a unary call", async () => {
    const { server, client } = pair();
    server.add(unary, (request) => request);
    const none = client.stream({ ...bidi, path: unary.path });
    none.closeSend();
    await expect(drain(none.responses)).rejects.toMatchObject({
      code: GRPC_STATUS.INTERNAL,
      message: /received no request message/,
    });
    const two = client.stream({ ...bidi, path: unary.path });
    void two.send(text("1"));
    void two.send(text("2"));
    await expect(drain(two.responses)).rejects.toMatchObject({
      code: GRPC_STATUS.INTERNAL,
      message: /multiple request messages/,
    });
  });

  test("undecodable and unencodable messages are INTERNAL", async () => {
    const { server, client } = pair();
    const broken = {
      ...unary,
      decodeRequest: (bytes: Uint8Array): Uint8Array => {
        if (bytes.length === 0) throw new Error("bad bytes");
        return bytes;
      },
      encodeResponse: (): Uint8Array => {
        throw new Error("bad value");
      },
    };
    server.add(broken, (request) => request);
    await expect(client.unary(unary, text(""))).rejects.toMatchObject({
      code: GRPC_STATUS.INTERNAL,
      message: "grpc: error unmarshalling request: bad bytes",
    });
    await expect(client.unary(unary, text("x"))).rejects.toMatchObject({
      code: GRPC_STATUS.INTERNAL,
      message: "grpc: error while marshaling: bad value",
    });
  });

  test("unknown methods, and a fallback that proxies bytes", async () => {
    const { server, client } = pair();
    server.add(unary, (request) => request);
    await expect(client.unary(rawMethod("/x.Y/Z", "unary"), text(""))).rejects.toMatchObject({
      code: GRPC_STATUS.UNIMPLEMENTED,
      message: "unknown service x.Y",
    });
    await expect(client.unary(rawMethod("/test.Echo/Z", "unary"), text(""))).rejects.toMatchObject({
      message: "unknown method Z for service test.Echo",
    });
    await expect(client.unary(rawMethod("nope", "unary"), text(""))).rejects.toMatchObject({
      message: 'malformed method name: "nope"',
    });
    server.fallback(async function* (requests, call) {
      if (call.path === "/x.Y/No") throw server.unimplemented(call.path);
      call.responseTrailers.set("proxied", call.path);
      for await (const one of requests) yield Buffer.concat([text("proxied "), one]);
    });
    const result = await client.unary(rawMethod("/x.Y/Z", "unary"), text("it"));
    expect([textOf(result.response), result.trailers.get("proxied")]).toEqual(["proxied it", "/x.Y/Z"]);
    await expect(client.unary(rawMethod("/x.Y/No", "unary"), text(""))).rejects.toMatchObject({
      message: "unknown service x.Y",
    });
  });

  test("messages that are worth it travel as gzip both ways where the caller compresses", async () => {
    const sizes: number[][] = [];
    const { server, client } = pair({
      interceptors: [{ end: ({ receivedBytes }) => sizes.push([receivedBytes]) }],
    });
    server.add(unary, (request) => request);
    server.add(bidi, (requests) => requests);
    const worth = Buffer.alloc(10_000, "abc");
    const large = Buffer.alloc(100_000, "abc");
    const noise = Buffer.from(Array.from({ length: 600 }, (_, i) => (i * i * 167 + (i >> 3) * 89) & 255));
    const options = { compression: "gzip" } as const;
    for (const message of [worth, large, noise, text("small"), text("")]) {
      const { response, headers } = await client.unary(unary, message, options);
      expect(Buffer.from(response).equals(message)).toBe(true);
      expect((headers as HeaderMetadata).raw).toContain("grpc-encoding");
    }
    expect(sizes.splice(0).map(([received]) => Number(received) < 5_000)).toEqual([true, false, true, true, true]);
    const chat = client.stream(bidi, options);
    void chat.send(worth);
    void chat.send(text("small"), true);
    expect((await drain(chat.responses)).map(({ length }) => length)).toEqual([10_000, 5]);
    await client.unary(unary, worth);
    expect(sizes.map(([received]) => Number(received) < 5_000)).toEqual([true, false]);
  });

  test("headers and trailers of a stream can be asked for before they come, and after the end", async () => {
    const { server, client } = pair();
    server.add(bidi, async function* (requests, call) {
      call.responseHeaders.set("h", "1");
      call.responseTrailers.set("t", "2");
      for await (const one of requests) yield one;
      expect(call.requestsRead).toBe(true);
    });
    const early = client.stream(bidi);
    const asked = [early.headers, early.trailers];
    expect(early.over).toBe(false);
    void early.send(text("1"), true);
    await drain(early.responses);
    expect(early.over).toBe(true);
    expect((await asked[0])?.get("h")).toBe("1");
    expect((await asked[1])?.get("t")).toBe("2");
    expect((await early.headers).get("h")).toBe("1");
    expect((await early.trailers).get("t")).toBe("2");
    await expect(Promise.resolve(early.send(text("2")))).rejects.toMatchObject({ code: GRPC_STATUS.CANCELLED });
    const never = client.stream({ ...bidi, path: "/x.Y/Z" });
    await expect(drain(never.responses)).rejects.toMatchObject({ code: GRPC_STATUS.UNIMPLEMENTED });
    expect([...(await never.headers).entries()]).toEqual([]);
  });

  test("a slow reader holds the sender, on either side", async () => {
    const { server, client } = pair();
    let sent = 0;
    server.add(serverStream, async function* () {
      for (; sent < 5000; sent += 1) yield Buffer.alloc(10_000);
    });
    const reads = Promise.withResolvers<void>();
    server.add(clientStream, async (requests) => {
      await reads.promise;
      let count = 0;
      for await (const one of requests) count += one.length;
      return text(String(count));
    });
    const down = client.stream(serverStream);
    await down.send(text(""));
    down.closeSend();
    await pause(20);
    expect(sent).toBeLessThan(60);
    expect((await drain(down.responses)).length).toBe(5000);
    const up = client.stream(clientStream);
    let accepted = 0;
    const sending = (async () => {
      for (; accepted < 1000; accepted += 1) await up.send(Buffer.alloc(10_000));
      up.closeSend();
    })();
    await pause(10);
    expect(accepted).toBeLessThan(60);
    reads.resolve();
    await sending;
    expect((await drain(up.responses)).map(textOf)).toEqual(["10000000"]);
  });
});

describe("interceptors", () => {
  test("run in order around the call and see its status and sizes", async () => {
    const log: string[] = [];
    const { server, client } = pair({
      interceptors: [
        {
          begin: (call) => {
            call.startedMs = 7;
          },
          end: (call, { code }) => {
            const { kind, authority, startedMs, receivedBytes, sentBytes } = call;
            log.push(`${kind} ${authority} ${startedMs} ${code} in ${receivedBytes} out ${sentBytes}`);
          },
        },
        {
          begin: (call) => {
            if (call.metadata.get("token") !== "good") throw new GrpcError(GRPC_STATUS.UNAUTHENTICATED, "no token");
          },
          end: () => log.push("inner"),
        },
      ],
    });
    server.add(unary, (request) => (request.length === 2 ? Promise.reject(new Error("bad")) : request));
    server.add(bidi, (requests) => requests);
    const options = { metadata: metadataOf({ token: "good" }) };
    await client.unary(unary, text("abc"), options);
    await expect(client.unary(unary, text("ab"), options)).rejects.toMatchObject({ code: GRPC_STATUS.UNKNOWN });
    await expect(client.unary(unary, text("abc"))).rejects.toMatchObject({ code: GRPC_STATUS.UNAUTHENTICATED });
    const chat = client.stream(bidi, options);
    for (const one of ["1", "2", "3"]) void chat.send(text(one));
    chat.closeSend();
    expect((await drain(chat.responses)).map(textOf)).toEqual(["1", "2", "3"]);
    await pause();
    expect(log).toEqual([
      "inner",
      "unary peer 7 0 in 8 out 3",
      "inner",
      "unary peer 7 2 in 7 out 0",
      "unary peer 7 16 in 0 out 0",
      "inner",
      "bidi_streaming peer 7 0 in 18 out 3",
    ]);
  });

  test("learn of a cancellation at once", async () => {
    const outcome = Promise.withResolvers<number>();
    const { server, client } = pair({
      interceptors: [{ end: (_call, status) => outcome.resolve(status.code) }],
    });
    server.add(unary, () => new Promise(() => undefined));
    const controller = new AbortController();
    const call = client.unary(unary, text("x"), { signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    await expect(call).rejects.toMatchObject({ code: GRPC_STATUS.CANCELLED });
    expect(await outcome.promise).toBe(GRPC_STATUS.CANCELLED);
  });
});

test("closing refuses new calls, waits for running ones, then ends them", async () => {
  const { server, client } = pair();
  const finish = Promise.withResolvers<Uint8Array>();
  server.add(unary, (request) => (request.length === 1 ? finish.promise : new Promise(() => undefined)));
  const running = client.unary(unary, text("1"));
  await pause();
  const closed = server.close(1000);
  await expect(client.unary(unary, text("1"))).rejects.toMatchObject({
    code: GRPC_STATUS.UNAVAILABLE,
    message: "the server is shutting down",
  });
  finish.resolve(text("done"));
  expect(textOf((await running).response)).toBe("done");
  await closed;

  const other = pair();
  other.server.add(unary, () => new Promise(() => undefined));
  const stuck = other.client.unary(unary, text("22"));
  stuck.catch(() => undefined);
  await pause();
  await other.server.close(10);
  await expect(stuck).rejects.toMatchObject({ code: GRPC_STATUS.UNAVAILABLE });
});

test("health: check, list and watch", async () => {
  const { server, client } = pair();
  const health = new HealthService();
  health.register(server);
  const methods = methodsOf(Health);
  const ask = async (service: string) =>
    (await client.unary(methods.check, { $typeName: "grpc.health.v1.HealthCheckRequest", service })).response.status;
  expect(await ask("")).toBe(SERVING_STATUS.serving);
  await expect(ask("nobody")).rejects.toMatchObject({ code: GRPC_STATUS.NOT_FOUND, message: "unknown service" });
  const watch = client.stream(methods.watch);
  await watch.send({ $typeName: "grpc.health.v1.HealthCheckRequest", service: "db" });
  watch.closeSend();
  const states: number[] = [];
  for await (const { status } of watch.responses) {
    states.push(status);
    if (states.length === 1) health.set("db", SERVING_STATUS.notServing);
    if (states.length === 2) health.set("db", SERVING_STATUS.serving);
    if (states.length === 3) break;
  }
  expect(states).toEqual([SERVING_STATUS.serviceUnknown, SERVING_STATUS.notServing, SERVING_STATUS.serving]);
  const list = await client.unary(methods.list, { $typeName: "grpc.health.v1.HealthListRequest" });
  expect(Object.keys(list.response.statuses)).toEqual(["", "db"]);
});

test.each(["v1", "v1alpha"])("reflection %s", async (version) => {
  const { server, client } = pair();
  new HealthService().register(server);
  addReflection(server, createRegistry(file_grpc_health_v1_health));
  const method = {
    ...methodsOf(ServerReflection).serverReflectionInfo,
    path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
  };
  const call = client.stream(method);
  const ask = async (messageRequest: object): Promise<ServerReflectionResponse["messageResponse"]> => {
    await call.send({
      $typeName: "grpc.reflection.v1.ServerReflectionRequest",
      host: "",
      messageRequest: messageRequest as { case: undefined },
    });
    const result = await call.responses[Symbol.asyncIterator]().next();
    return (result.value as ServerReflectionResponse).messageResponse;
  };
  expect(await ask({ case: "listServices", value: "" })).toMatchObject({
    value: {
      service: [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
      ].map((name) => ({ name })),
    },
  });
  for (const symbol of [
    "grpc.health.v1.Health",
    "grpc.health.v1.Health.Check",
    "grpc.health.v1.HealthCheckRequest.service",
    "grpc.reflection.v1.ServerReflection",
  ]) {
    expect(await ask({ case: "fileContainingSymbol", value: symbol })).toMatchObject({
      case: "fileDescriptorResponse",
    });
  }
  const file = await ask({ case: "fileByFilename", value: "grpc/health/v1/health.proto" });
  expect(textOf((file.value as { fileDescriptorProto: Uint8Array[] }).fileDescriptorProto[0] as Uint8Array)).toContain(
    "HealthCheckRequest",
  );
  expect(await ask({ case: "fileContainingSymbol", value: "no.Such" })).toMatchObject({
    case: "errorResponse",
    value: { errorCode: 5 },
  });
  expect(await ask({ case: "fileByFilename", value: "no.proto" })).toMatchObject({ case: "errorResponse" });
  expect(await ask({ case: undefined })).toMatchObject({ case: "errorResponse", value: { errorCode: 3 } });
  call.cancel();
});

async function drain<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of messages) all.push(one);
  return all;
}
