import { rm } from "node:fs/promises";
import { createRegistry, type DescService } from "@bufbuild/protobuf";
import { addReflection } from "../../../src/net/grpc/reflection.ts";
import { GrpcServer } from "../../../src/net/grpc/server.ts";
import { createH2Transport } from "../../../src/net/h2/protocol/transport.ts";
import { listen } from "../../../src/net/http/listener.ts";

/** A process-less pluggable component: a gRPC server on a unix socket that tells by reflection what it offers. */
export interface ComponentServer extends AsyncDisposable {
  readonly path: string;
  /** `x-component-instance` of every call so far, each once. */
  readonly instances: ReadonlySet<string>;
  /** Ends at once what is under way, as a process that dies; the socket's file goes too. */
  kill(): Promise<void>;
}

/** A service with its handlers. */
export interface OfferedService {
  readonly service: DescService;
  register(server: GrpcServer): void;
}

/** Serves components on `path`; without `reflection` nobody can discover them. */
export async function startComponentServer(
  path: string,
  services: readonly OfferedService[],
  reflection = true,
): Promise<ComponentServer> {
  const instances = new Set<string>();
  const server = new GrpcServer({
    interceptors: [{ begin: (call) => void instances.add(call.metadata.get("x-component-instance") ?? "") }],
  });
  for (const one of services) {
    one.register(server);
  }
  if (reflection) {
    addReflection(server, createRegistry(...services.map(({ service }) => service)));
  }
  const listener = await listen({ path }, { h2: createH2Transport().createServer(server.accept) });
  const kill = async (): Promise<void> => {
    await listener.close(0);
    await server.close(0);
    await rm(path, { force: true });
  };
  return { path, instances, kill, [Symbol.asyncDispose]: kill };
}
