import { expect, test } from "vitest";
import type { InvokeCall } from "../../app/types.ts";
import type { ActorsBlock } from "../../blocks/actors/actors-block.ts";
import { RecordingTracer } from "../../kit/recording-tracer.fixture.ts";
import { silentLogger } from "../../kit/silent-logger.ts";
import type { Tracer } from "../../kit/trace-context.ts";
import { VirtualClock } from "../../kit/virtual-clock.fixture.ts";
import type { RequestHead } from "../../mesh/messages.ts";
import { callActor, callLocal } from "../../mesh/service-invocation.ts";
import { createGrpcClient } from "../../net/grpc/client.ts";
import { metadataOf } from "../../net/grpc/metadata.ts";
import { MemoryTransport } from "../../net/h2/memory.ts";
import { PassingTracer } from "../../telemetry/tracing/tracers.ts";
import { traceCalls } from "../grpc/call-tracing.ts";
import { createPeerServer } from "./peer-server.ts";

const CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const OLD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const REPLY = {
  status: { kind: "http", code: 200 },
  headers: [],
  trailers: [],
  contentType: "",
  body: Buffer.from(""),
} as const;

/** What another sidecar asks for. */
function requestOf(headers: readonly string[], actor?: RequestHead["actor"]): RequestHead {
  return {
    headers,
    origin: "http",
    method: "place",
    verb: "POST",
    query: "",
    contentType: "",
    typeUrl: "",
    data: undefined,
    stamps: undefined,
    hasMessage: true,
    hasMetadata: true,
    ...(actor === undefined ? undefined : { actor }),
  };
}

function setUp(tracer: Tracer) {
  const calls: Pick<InvokeCall, "trace">[] = [];
  const keep = async (call: Pick<InvokeCall, "trace">) => {
    calls.push(call);
    return { ...REPLY, isError: false };
  };
  const server = createPeerServer({
    invocation: { invokeLocal: keep },
    actors: { callFromPeer: keep } as Partial<ActorsBlock> as ActorsBlock,
    unknown: () => undefined,
    maxBodyBytes: 1024,
    tracing: { interceptor: traceCalls(tracer, "orders"), appId: "orders" },
    observer: { callDone: () => undefined, errorAnswered: () => undefined },
    clock: new VirtualClock(),
    logger: silentLogger,
  });
  const transport = new MemoryTransport();
  transport.bind("peer", server.accept);
  return { calls, client: createGrpcClient(transport, "peer") };
}

test("a call of another sidecar has a server's span below the caller's, and the app gets that one's context", async () => {
  const tracer = new RecordingTracer();
  const { calls, client } = setUp(tracer);
  const metadata = metadataOf({ traceparent: CALLER, tracestate: "a=b" });
  const { headers } = await client.unary(callLocal, requestOf(["traceparent", OLD]), { metadata });
  expect(tracer.spans).toMatchObject([
    {
      name: "CallLocal/orders/place",
      kind: 2,
      parent: { traceparent: CALLER, tracestate: "a=b" },
      attributes: { "rpc.service": "ServiceInvocation", "dapr.invoke_method": "place" },
      ended: 1,
    },
  ]);
  expect(calls[0]?.trace).toBe(tracer.spans[0]);
  expect(headers.get("grpc-trace-bin")).toBeUndefined();
});

test("a call of an actor is named after it", async () => {
  const tracer = new RecordingTracer();
  const { calls, client } = setUp(tracer);
  await client.unary(callActor, requestOf([], { type: "cart", id: "7" }));
  expect(tracer.spans).toMatchObject([{ name: "CallActor/cart/place", attributes: { "dapr.actor": "cart.7" } }]);
  expect(calls[0]?.trace).toBe(tracer.spans[0]);
});

test("what the app's caller has sent stays where no sidecar on the way traces", async () => {
  const { calls, client } = setUp(new PassingTracer());
  await client.unary(callLocal, requestOf(["traceparent", OLD]));
  await client.unary(callLocal, requestOf([]));
  expect(calls[0]?.trace).toBeUndefined();
  expect(calls[1]?.trace?.traceparent).toMatch(/^00-0+-0+-00$/);
});
