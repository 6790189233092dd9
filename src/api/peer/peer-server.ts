import type { InvocationBlock } from "../../blocks/invocation/invocation.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import { GrpcServer } from "../../net/grpc/server.ts";
import { createErrorMapper, type GrpcDoorObserver, observeCalls } from "../grpc/door.ts";
import { addPeerInvocation } from "./service-invocation.ts";

export interface PeerServerOptions {
  readonly invocation: Pick<InvocationBlock, "invokeLocal">;
  /** Bytes of one message; 0: no limit. */
  readonly maxBodyBytes: number;
  readonly observer: GrpcDoorObserver;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The internal gRPC server: `dapr.proto.internals.v1.ServiceInvocation`, for other sidecars only. */
export function createPeerServer(options: PeerServerOptions): GrpcServer {
  const server = new GrpcServer({
    messageBytesMax: options.maxBodyBytes,
    interceptors: [observeCalls(options)],
    mapError: createErrorMapper(options.logger, (error) => options.observer.errorAnswered(error)),
  });
  addPeerInvocation(server, options);
  return server;
}
