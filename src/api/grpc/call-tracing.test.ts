import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { RecordingTracer } from "../../kit/recording-tracer.fixture.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import { traceparentOfBinary } from "../../kit/trace-context.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import { createGrpcClient } from "../../net/grpc/client.ts";
import { encodeBinary, metadataOf } from "../../net/grpc/metadata.ts";
import { methodsOf } from "../../net/grpc/protobuf.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import { MemoryTransport } from "../../net/h2/memory.ts";
import { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import { InvokeServiceRequestSchema } from "../../wire/gen/dapr/proto/runtime/v1/invoke_pb.js";
import { GetStateRequestSchema, GetStateResponseSchema } from "../../wire/gen/dapr/proto/runtime/v1/state_pb.js";
import { InvokeResponseSchema } from "../../wire/gen/dapr/proto/common/v1/common_pb.js";
import { traceCalls } from "./call-tracing.ts";
import { createGrpcDoor } from "./door.ts";

const CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const CALLER_BINARY = Buffer.from("AABL+S81d7NNpqPOkp0ODkc2AQDwZ6oLqQK3AgE=", "base64");
const methods = methodsOf(Dapr);
const getState = create(GetStateRequestSchema, { storeName: "store", key: "key" });

function traced(failure?: GrpcError) {
  const tracer = new RecordingTracer();
  const transport = new MemoryTransport();
  const door = createGrpcDoor({
    handlers: {
      getState: () => {
        if (failure !== undefined) {
          throw failure;
        }
        return create(GetStateResponseSchema);
      },
      invokeService: () => create(InvokeResponseSchema),
    },
    unknown: ({ path }) => {
      throw new GrpcError(GRPC_STATUS.UNIMPLEMENTED, path);
    },
    apiToken: "",
    accessRules: { allowed: [], denied: [] },
    maxBodyBytes: 1024,
    tracing: traceCalls(tracer, "me"),
    observer: { callDone: () => undefined, errorAnswered: () => undefined },
    clock: new VirtualClock(),
    logger: silentLogger,
  });
  transport.bind("sidecar", door.accept);
  return { client: createGrpcClient(transport, "sidecar"), spans: tracer.spans };
}

describe("a call of the API", () => {
  it("is named by its method, described by its request, and answered with its context", async () => {
    const { client, spans } = traced();
    const { headers } = await client.unary(methods.getState, getState, {
      metadata: metadataOf({ "dapr-tenant": "t1" }),
    });
    expect(spans).toMatchObject([
      {
        name: "/dapr.proto.runtime.v1.Dapr/GetState",
        kind: 3,
        parent: undefined,
        failure: undefined,
        ended: 1,
        attributes: {
          "rpc.service": "Dapr",
          "db.system": "state",
          "db.name": "store",
          "db.statement": "/dapr.proto.runtime.v1.Dapr/GetState",
          "dapr.protocol": "grpc",
          "dapr.api": "/dapr.proto.runtime.v1.Dapr/GetState",
          "dapr-tenant": "t1",
          "rpc.grpc.status_code": 0,
        },
      },
    ]);
    const binary = headers.getBinary("grpc-trace-bin") ?? expect.fail();
    expect(traceparentOfBinary(encodeBinary(binary))).toBe(spans[0]?.traceparent);
  });

  it("takes the binary context before the text, and the text's tracestate with it", async () => {
    const { client, spans } = traced();
    const other = CALLER.replace("4bf9", "ffff");
    await client.unary(methods.getState, getState, {
      metadata: metadataOf({ "grpc-trace-bin": CALLER_BINARY, traceparent: other }),
    });
    await client.unary(methods.getState, getState, {
      metadata: metadataOf({ traceparent: CALLER, tracestate: "a=b" }),
    });
    expect(spans.map(({ parent }) => parent)).toEqual([
      { traceparent: CALLER, tracestate: "" },
      { traceparent: CALLER, tracestate: "a=b" },
    ]);
  });

  it("that invokes a service is named after it, and its answer has the app's metadata alone", async () => {
    const { client, spans } = traced();
    const request = create(InvokeServiceRequestSchema, { id: "orders", message: { method: "place" } });
    const { headers } = await client.unary(methods.invokeService, request);
    expect(spans).toMatchObject([
      { name: "CallLocal/orders/place", attributes: { "net.peer.name": "orders", "rpc.service": "ServiceInvocation" } },
    ]);
    expect(headers.get("grpc-trace-bin")).toBeUndefined();
  });

  it("that fails says so", async () => {
    const { client, spans } = traced(new GrpcError(GRPC_STATUS.NOT_FOUND, "no such key"));
    await expect(client.unary(methods.getState, getState)).rejects.toThrow("no such key");
    expect(spans).toMatchObject([{ failure: "no such key", attributes: { "rpc.grpc.status_code": 5 } }]);
  });
});

it("broken baggage is refused in Dapr's words, and any other goes back", async () => {
  const { client, spans } = traced();
  await expect(
    client.unary(methods.getState, getState, { metadata: metadataOf({ baggage: "invalid-baggage" }) }),
  ).rejects.toMatchObject({
    code: GRPC_STATUS.INVALID_ARGUMENT,
    message: 'invalid baggage header: invalid baggage list-member: "invalid-baggage"',
  });
  expect(spans).toEqual([]);
  const { headers } = await client.unary(methods.getState, getState, { metadata: metadataOf({ baggage: "a=1" }) });
  expect(headers.get("baggage")).toBe("a=1");
});

it("a call that is passed on is the server's where it is for this app", async () => {
  const { client, spans } = traced();
  const ping = { ...methods.getState, path: "/own.Service/Ping" };
  for (const [key, appId] of [
    ["dapr-app-id", "me"],
    ["dapr-app-id", "you"],
    ["dapr-callee-app-id", "me"],
  ] as const) {
    await expect(client.unary(ping, getState, { metadata: metadataOf({ [key]: appId }) })).rejects.toThrow();
  }
  expect(spans.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
    "/own.Service/Ping 2",
    "/own.Service/Ping 3",
    "/own.Service/Ping 2",
  ]);
});
