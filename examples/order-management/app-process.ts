import { CommunicationProtocolEnum, DaprClient, DaprServer, LogLevel } from "@dapr/dapr";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { reasonOf } from "./sdk/reason.ts";
import { handOnTraces, inTraceOf } from "./sdk/trace.ts";

/** Requests under way get this long when the process is told to stop. */
const STOP_MS_MAX = 300;

/** Everything listens here; the SDK's HTTP server would listen on all interfaces. */
const HOST = "127.0.0.1";

/** What the SDK throws when it has waited long enough. */
const NO_SIDECAR = "DAPR_SIDECAR_COULD_NOT_BE_STARTED";

const port = z.string().regex(/^\d+$/);
const environmentSchema = z.object({ APP_PORT: port, DAPR_HTTP_PORT: port, DAPR_GRPC_PORT: port });

/** An Express application. */
interface Application extends RequestListener {
  listen(port: number): unknown;
}

/**
 * An app's server and client on the ports that whoever starts the app with its sidecar puts into the environment. Both
 * speak the same protocol. The SDK hosts actors in HTTP servers only.
 */
export function createServer(protocol: "http" | "grpc"): DaprServer {
  const { APP_PORT } = environment();
  handOnTraces();
  const grpc = protocol === "grpc";
  const server = new DaprServer({
    serverHost: HOST,
    serverPort: APP_PORT,
    communicationProtocol: grpc ? CommunicationProtocolEnum.GRPC : CommunicationProtocolEnum.HTTP,
    clientOptions: { ...clientOptions(protocol), actor: { actorIdleTimeout: "1m", actorScanInterval: "10s" } },
  });
  if (!grpc) serveOnLoopback(server.daprServer.getServer() as Application);
  // The SDK's HTTP server throws where nobody hears it, such as for an actor that it has forgotten with a restart.
  process.on("unhandledRejection", (error) => console.error(`a request failed: ${reasonOf(error)}`));
  return server;
}

/** A client that speaks gRPC, for what the SDK's HTTP client cannot do. */
export function createGrpcClient(): DaprClient {
  return new DaprClient({ ...clientOptions("grpc"), communicationProtocol: CommunicationProtocolEnum.GRPC });
}

function clientOptions(protocol: "http" | "grpc") {
  const { DAPR_HTTP_PORT, DAPR_GRPC_PORT } = environment();
  return {
    daprHost: HOST,
    daprPort: protocol === "grpc" ? DAPR_GRPC_PORT : DAPR_HTTP_PORT,
    logger: { level: LogLevel.Warn },
  };
}

function environment(): z.infer<typeof environmentSchema> {
  const environment = environmentSchema.safeParse(process.env);
  if (environment.success) return environment.data;
  throw new Error(`start this app with its sidecar (outrigger dev): ${z.prettifyError(environment.error)}`);
}

/**
 * Starts an app's server, waits for its sidecar as long as it takes, and ends the process on SIGINT or SIGTERM. Requests
 * are answered before the sidecar is there.
 */
export async function runUntilStopped(server: DaprServer): Promise<void> {
  const stop = async (): Promise<void> => {
    await Promise.race([server.stop(), delay(STOP_MS_MAX)]).catch(() => undefined);
    process.exit(0);
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void stop());
  let start = async (): Promise<void> => await server.start();
  while (!(await isAnswered(start))) {
    const { daprHost, daprPort } = server.client.options;
    console.error(`still waiting for the sidecar on ${daprHost}:${daprPort}`);
    start = async () => await server.client.start();
  }
}

/** False when the SDK has given up waiting for the sidecar, which it does after half a minute. */
async function isAnswered(start: () => Promise<void>): Promise<boolean> {
  try {
    await start();
    return true;
  } catch (error) {
    if (error instanceof Error && error.message === NO_SIDECAR) return false;
    throw error;
  }
}

/** Each request in its trace. */
function serveOnLoopback(application: Application): void {
  const server = createHttpServer((request, response) =>
    inTraceOf(request.headers, () => application(request, response)),
  );
  application.listen = (portNumber) => server.listen(portNumber, HOST);
}
