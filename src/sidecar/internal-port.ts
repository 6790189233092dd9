import type { GrpcServer } from "../net/grpc/server.ts";
import { tcpAddress } from "./listeners.ts";
import type { Foundation } from "./plan.ts";

/**
 * The internal gRPC port, which is taken before components open connections of their own: one of those could get it as
 * its source port. Connections that come early wait until `serve`.
 */
export interface InternalPort {
  readonly port: number;
  /** Says what serves it, once. */
  serve(load: () => Promise<GrpcServer>): void;
  /** Nothing will: connections that wait are let go. Does nothing after `serve`. */
  abandon(): void;
}

/** Opens the port; undefined when the sidecar has none. */
export async function openInternalPort({
  options,
  deps,
  health,
  identity,
  listeners,
}: Foundation): Promise<InternalPort | undefined> {
  if (options.internalGrpcPort === undefined) {
    return undefined;
  }
  const target = health.addTarget("grpc-internal-server");
  const served = Promise.withResolvers<() => Promise<GrpcServer>>();
  const port = await listeners.grpc(
    [tcpAddress(options.internalListenAddress, options.internalGrpcPort)],
    async () => await (await served.promise)(),
    identity?.serverTls(),
  );
  return {
    port,
    serve(load) {
      served.resolve(load);
      deps.logger.info(`Internal gRPC server is running on ${options.internalListenAddress}:${port}`);
      target.ready();
    },
    abandon: () => served.resolve(emptyServer),
  };
}

async function emptyServer(): Promise<GrpcServer> {
  const server = await import("../net/grpc/server.ts");
  return new server.GrpcServer();
}
