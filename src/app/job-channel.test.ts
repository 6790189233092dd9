import { expect, test } from "vitest";
import { GRPC_STATUS } from "../errors/grpc-status.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { VirtualClock } from "../kit/virtual-clock.fixture.ts";
import { metadataOf } from "../net/grpc/metadata.ts";
import { GrpcError } from "../net/grpc/status.ts";
import type { CallOptions, GrpcClient, GrpcMethod, UnaryResult } from "../net/grpc/types.ts";
import { HttpClientError } from "../net/http/errors.ts";
import type { HttpRequest, HttpResponse } from "../net/http/types.ts";
import { HTTPExtension_Verb } from "../wire/gen/dapr/proto/common/v1/common_pb.js";
import { GrpcAppChannel } from "./grpc-channel.ts";
import { HttpAppChannel } from "./http-channel.ts";
import type { AppChannelOptions } from "./options.ts";

const { signal } = new AbortController();
const job = { name: "j|| 1", data: { typeUrl: "type", value: Buffer.from(" x ") } };

const options: AppChannelOptions = {
  appId: "me",
  address: "http://127.0.0.1:3000",
  appToken: "token",
  maxConcurrency: 1,
  healthPath: "",
  maxBodyBytes: 0,
  clock: new VirtualClock(),
  logger: silentLogger,
};

function httpApp(answer: number | Error, more: Partial<AppChannelOptions> = {}) {
  const requests: HttpRequest[] = [];
  const request = async (asked: HttpRequest): Promise<HttpResponse> => {
    requests.push(asked);
    if (answer instanceof Error) {
      throw answer;
    }
    return { status: answer, headers: [], body: new Uint8Array(0) };
  };
  return {
    requests,
    channel: new HttpAppChannel("http", { request, close: () => Promise.resolve() }, { ...options, ...more }),
  };
}

test("an HTTP app gets a POST on the job's path", async () => {
  const { requests, channel } = httpApp(204);
  expect(await channel.triggerJob(job, signal)).toBe(GRPC_STATUS.OK);
  expect(requests).toMatchObject([
    {
      method: "POST",
      target: "/job/j%7C%7C%201",
      headers: ["dapr-api-token", "token", "content-type", "application/json"],
      body: Buffer.from("x"),
    },
  ]);
});

test.each([
  [404, GRPC_STATUS.NOT_FOUND],
  [500, GRPC_STATUS.UNKNOWN],
  [503, GRPC_STATUS.UNAVAILABLE],
])("an HTTP app's %i is told as gRPC's code %i", async (status, code) => {
  expect(await httpApp(status).channel.triggerJob(job, signal)).toBe(code);
});

test("an HTTP app that does not answer, or is not well, is an error", async () => {
  const refused = new HttpClientError("connect", "no", Object.assign(new Error("no"), { code: "ECONNREFUSED" }));
  await expect(httpApp(refused).channel.triggerJob(job, signal)).rejects.toThrow("connection refused");
  const unwell = httpApp(200, { isHealthy: () => false });
  await expect(unwell.channel.triggerJob(job, signal)).rejects.toThrow("app is not in a healthy state");
  expect(unwell.requests).toEqual([]);
});

function grpcApp(answer: (path: string) => void, more: Partial<AppChannelOptions> = {}) {
  const seen: { readonly path: string; readonly request: unknown; readonly token: unknown }[] = [];
  const refuse = (): never => {
    throw new Error("the channel makes unary calls only");
  };
  const client: GrpcClient = {
    unary: async <I, O>({ path }: GrpcMethod<I, O>, request: I, call?: CallOptions): Promise<UnaryResult<O>> => {
      seen.push({ path, request, token: call?.metadata?.get("dapr-api-token") });
      answer(path);
      return { response: {} as O, headers: metadataOf({}), trailers: metadataOf({}) };
    },
    stream: refuse,
    open: refuse,
    close: () => Promise.resolve(),
  };
  return { seen, channel: new GrpcAppChannel("grpc", client, { ...options, ...more }) };
}

test("a gRPC app gets OnJobEvent", async () => {
  const { seen, channel } = grpcApp(() => undefined);
  expect(await channel.triggerJob(job, signal)).toBe(GRPC_STATUS.OK);
  expect(await channel.triggerJob({ name: "bare", data: undefined }, signal)).toBe(GRPC_STATUS.OK);
  expect(seen).toMatchObject([
    {
      path: "/dapr.proto.runtime.v1.AppCallback/OnJobEvent",
      token: "token",
      request: {
        name: "j|| 1",
        method: "job/j|| 1",
        data: job.data,
        contentType: "type",
        httpExtension: { verb: HTTPExtension_Verb.POST },
      },
    },
    { request: { name: "bare", contentType: "" } },
  ]);
  expect(seen[1]?.request).not.toHaveProperty("data");
});

test("an older gRPC app gets OnJobEventAlpha1", async () => {
  const { seen, channel } = grpcApp((path) => {
    if (path.endsWith("/OnJobEvent")) {
      throw new GrpcError(GRPC_STATUS.UNIMPLEMENTED, "no such method");
    }
  });
  expect(await channel.triggerJob(job, signal)).toBe(GRPC_STATUS.OK);
  expect(seen.map(({ path }) => path)).toEqual([
    "/dapr.proto.runtime.v1.AppCallback/OnJobEvent",
    "/dapr.proto.runtime.v1.AppCallbackAlpha/OnJobEventAlpha1",
  ]);
});

test("a gRPC app's status is its answer", async () => {
  const failing = grpcApp(() => {
    throw new GrpcError(GRPC_STATUS.NOT_FOUND, "no such job");
  });
  expect(await failing.channel.triggerJob(job, signal)).toBe(GRPC_STATUS.NOT_FOUND);
  // The slot was given back.
  expect(await failing.channel.triggerJob(job, signal)).toBe(GRPC_STATUS.NOT_FOUND);
  const unwell = grpcApp(() => undefined, { isHealthy: () => false });
  await expect(unwell.channel.triggerJob(job, signal)).rejects.toThrow("app is not in a healthy state");
});
