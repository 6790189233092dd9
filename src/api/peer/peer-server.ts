import type { ActorsBlock } from "../../blocks/actors/actors-block.ts";
import type { InvocationBlock } from "../../blocks/invocation/invocation.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { StreamTally } from "../../kit/stream-tally.ts";
import type { Interceptor } from "../../net/grpc/server-types.ts";
import { GrpcServer } from "../../net/grpc/server.ts";
import type { RelayHandler } from "../../net/grpc/types.ts";
import { createErrorMapper, type GrpcDoorObserver, observeCalls } from "../grpc/door.ts";
import { addPeerActors } from "./actors.ts";
import { addPeerInvocation } from "./service-invocation.ts";

/** The spans of calls of other sidecars. */
export interface PeerTracing {
  readonly interceptor: Interceptor;
  /** Of this sidecar's app, after which the spans of its calls are named. */
  readonly appId: string;
}

export interface PeerServerOptions {
  readonly invocation: Pick<InvocationBlock, "invokeLocal">;
  readonly actors: ActorsBlock;
  /** Gets the calls of all other methods. */
  readonly unknown: RelayHandler;
  /** Bytes of one message; 0: no limit. */
  readonly maxBodyBytes: number;
  /** Counts streamed bodies; absent: nobody does. */
  readonly tally?: StreamTally | undefined;
  /** Gives calls their spans, and names them; absent: there are none. */
  readonly tracing?: PeerTracing | undefined;
  readonly observer: GrpcDoorObserver;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The internal gRPC server: `dapr.proto.internals.v1.ServiceInvocation` and calls of the app's own methods, for other sidecars only. */
export function createPeerServer(options: PeerServerOptions): GrpcServer {
  const { tracing } = options;
  const server = new GrpcServer({
    messageBytesMax: options.maxBodyBytes,
    interceptors: tracing === undefined ? [observeCalls(options)] : [observeCalls(options), tracing.interceptor],
    mapError: createErrorMapper(options.logger, (error) => options.observer.errorAnswered(error)),
  });
  addPeerInvocation(server, { ...options, appId: tracing?.appId ?? "" });
  addPeerActors(server, options.actors);
  server.passUnknown(options.unknown);
  return server;
}
