import { HttpAppChannel } from "../app/http-channel.ts";
import type { AppChannel, InvokeCall } from "../app/types.ts";
import { InvocationBlock } from "../blocks/invocation/invocation.ts";
import { addPeerInvocation } from "../api/peer/service-invocation.ts";
import { statusOf } from "../api/grpc/errors.ts";
import type { NameResolver } from "../components/spi/name-resolution.ts";
import { ApiError } from "../errors/error.ts";
import { systemRandom } from "../kit/random.ts";
import { silentLogger } from "../kit/silent-logger.ts";
import { callInProcess } from "../net/http/in-process.ts";
import { systemClock } from "../kit/system-clock.ts";
import { createGrpcClient } from "../net/grpc/client.ts";
import { GrpcServer } from "../net/grpc/server.ts";
import { grpcStatusOf } from "../net/grpc/status.ts";
import { createH2Transport } from "../net/h2/protocol/transport.ts";
import { listen } from "../net/http/listener.ts";
import type { HttpHandler } from "../net/http/types.ts";
import { createResiliency } from "../resiliency/resiliency.ts";
import { Mesh } from "./mesh.ts";

/** One sidecar's half of invocation on a real internal port, with an app in process. */
export interface TestPeer {
  readonly address: string;
  readonly invocation: InvocationBlock;
  readonly mesh: Mesh;
  close(): Promise<void>;
}

/** An app that is an HTTP handler. */
export function appOf(handler: HttpHandler): AppChannel {
  return new HttpAppChannel(
    "in-process",
    { request: (request) => callInProcess(handler, request), close: () => Promise.resolve() },
    {
      appId: "app",
      address: "http://app",
      appToken: "",
      maxConcurrency: 0,
      healthPath: "/healthz",
      maxBodyBytes: 0,
      clock: systemClock,
      logger: silentLogger,
    },
  );
}

/** Starts a peer; `register` replaces what its internal port serves. */
export async function startPeer(
  appId: string,
  channel: AppChannel | undefined,
  resolver: NameResolver,
  register: (server: GrpcServer, invocation: InvocationBlock) => void = (server, invocation) =>
    addPeerInvocation(server, { invocation, appId, maxBodyBytes: 0 }),
): Promise<TestPeer> {
  const ports = { clock: systemClock, random: systemRandom, logger: silentLogger };
  const resiliency = await createResiliency({ ...ports, documents: [] });
  const mesh = new Mesh({
    pieceBytes: 64 * 1024,
    appId,
    namespace: "default",
    hostAddress: "127.0.0.1",
    hostName: "box",
    resolver: () => resolver,
    connect: (address) => createGrpcClient(createH2Transport(), address),
    ...ports,
    resiliency,
  });
  const invocation = new InvocationBlock({
    appId,
    namespace: "default",
    appChannel: () => channel,
    remote: mesh,
    endpoints: { baseUrlOf: () => undefined, invoke: () => Promise.reject(new Error("there is none")) },
    resiliency,
  });
  const server = new GrpcServer({
    mapError: (error) => (error instanceof ApiError ? statusOf(error) : grpcStatusOf(error)),
  });
  register(server, invocation);
  const listener = await listen({ port: 0 }, { h2: createH2Transport().createServer(server.accept) });
  return {
    address: listener.address,
    invocation,
    mesh,
    close: async () => {
      await mesh.close();
      await server.close(100);
      await listener.close(100);
    },
  };
}

/** A resolver that knows one address, which may change. */
export function resolverOf(addressOf: () => string): NameResolver {
  return {
    init: () => Promise.resolve(),
    close: () => Promise.resolve(),
    announce: () => Promise.resolve(),
    resolve: () => Promise.resolve(addressOf()),
  };
}

/** A POST with a JSON body. */
export function callOf(more: Partial<InvokeCall>): InvokeCall {
  return {
    method: "echo",
    verb: "POST",
    query: "",
    headers: [],
    origin: "http",
    contentType: "application/json",
    body: new Uint8Array(0),
    ...more,
  };
}
