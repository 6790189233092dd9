import { bindingsRoutes } from "../api/http/bindings.ts";
import { componentsRoutes } from "../api/http/components.ts";
import { configurationRoutes } from "../api/http/configuration.ts";
import { controlRoutes } from "../api/http/control.ts";
import { createHttpDoor, type HttpDoorOptions } from "../api/http/door.ts";
import { invokeFallback, invokeRoutes } from "../api/http/invoke.ts";
import { lockRoutes } from "../api/http/lock.ts";
import { publishRoutes } from "../api/http/publish.ts";
import { secretsRoutes } from "../api/http/secrets.ts";
import { stateRoutes } from "../api/http/state.ts";
import { unimplementedRoutes } from "../api/http/unimplemented.ts";
import type { HttpHandler } from "../net/http/types.ts";
import { metricsHandler } from "../telemetry/metrics/metrics-handler.ts";
import type { RuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";
import { apiAddresses, tcpAddress } from "./listeners.ts";
import type { DoorsPlan } from "./plan.ts";
import { createApiLog, httpObserver } from "./observers.ts";
import type { SidecarPorts } from "./types.ts";

/** The doors of one sidecar: `http` works without a socket, `open` puts all of them on their ports. */
export interface Doors {
  readonly http: HttpHandler;
  open(): Promise<SidecarPorts>;
}

/** Makes the doors over the blocks. Doors whose port is undefined are not opened. */
export function createDoors(plan: DoorsPlan): Doors {
  const http = createApiHandler(plan);
  return { http, open: () => openDoors(plan, http) };
}

function createApiHandler(doors: DoorsPlan): HttpHandler {
  const { blocks } = doors;
  const { options, deps } = doors.plan;
  const invoke = { invocation: blocks.invocation, maxBodyBytes: options.maxBodyBytes, logger: deps.logger };
  return createHttpDoor({
    ...sharedHttpOptions(doors),
    routes: [
      ...controlRoutes(blocks.control),
      ...componentsRoutes(blocks.components),
      ...stateRoutes(blocks.state, { maxBodyBytes: options.maxBodyBytes }),
      ...publishRoutes(blocks.pubsub, { maxBodyBytes: options.maxBodyBytes }),
      ...bindingsRoutes(blocks.bindings, { maxBodyBytes: options.maxBodyBytes }),
      ...secretsRoutes(blocks.secrets),
      ...configurationRoutes(blocks.configuration, {
        appChannel: () => doors.appChannel,
        logger: deps.logger.scope("dapr.runtime.http"),
      }),
      ...lockRoutes(blocks.lock, { maxBodyBytes: options.maxBodyBytes }),
      ...invokeRoutes(invoke),
      ...unimplementedRoutes(),
    ],
    fallback: invokeFallback(invoke),
    apiToken: options.apiToken,
    allowedOrigins: options.allowedOrigins,
  });
}

/** The public port serves health and metadata, and asks for no token. */
function createPublicHandler(doors: DoorsPlan): HttpHandler {
  const { blocks } = doors;
  return createHttpDoor({
    ...sharedHttpOptions(doors),
    routes: controlRoutes(blocks.control).filter((route) => route.onPublicPort === true),
    fallback: (exchange) =>
      exchange.respond(404, ["content-type", "text/plain; charset=utf-8"], "404 page not found\n"),
    apiToken: "",
    allowedOrigins: "",
  });
}

function sharedHttpOptions({
  plan,
  configuration,
  metrics,
}: DoorsPlan): Pick<HttpDoorOptions, "accessRules" | "observer" | "clock" | "logger"> {
  const { logger, clock } = plan.deps;
  return {
    accessRules: configuration.api,
    observer: httpObserver(metrics, createApiLog(plan, configuration), plan.deps.activity),
    clock,
    logger: logger.scope("dapr.runtime.http"),
  };
}

async function openDoors(doors: DoorsPlan, http: HttpHandler): Promise<SidecarPorts> {
  const { listeners, metrics } = doors;
  const { options, deps, health } = doors.plan;
  const { logger } = deps;
  const { listenAddresses, unixDomainSocket, appId } = options;
  const limits = { headerBytesMax: options.readBufferBytes, h2c: !options.h2cDisabled };
  const metricsPort = metrics === undefined ? undefined : await openMetrics(doors, metrics);

  let grpc: number | undefined;
  if (options.grpcPort !== undefined) {
    const target = health.addTarget("grpc-api-server");
    grpc = await listeners.grpc(
      apiAddresses({ listenAddresses, unixDomainSocket, appId, port: options.grpcPort, kind: "grpc" }),
      async () => (await import("./grpc-doors.ts")).createGrpcApi(doors),
    );
    logger.info(
      unixDomainSocket === ""
        ? `API gRPC server is running on port ${grpc}`
        : "API gRPC server is running on a Unix Domain Socket",
    );
    target.ready();
  }
  let httpPort: number | undefined;
  if (options.httpPort !== undefined) {
    httpPort = await listeners.http(
      apiAddresses({ listenAddresses, unixDomainSocket, appId, port: options.httpPort, kind: "http" }),
      http,
      limits,
    );
    logger.info(
      unixDomainSocket === ""
        ? `HTTP server is running on port ${httpPort}`
        : "HTTP server is running on a Unix Domain Socket",
    );
    logger.info(`The request body size parameter is: ${options.maxBodyBytes} bytes`);
  }
  const publicPort =
    options.publicPort === undefined
      ? undefined
      : await listeners.http(
          [tcpAddress(options.publicListenAddress, options.publicPort)],
          createPublicHandler(doors),
          limits,
        );
  let internalGrpc: number | undefined;
  if (options.internalGrpcPort !== undefined) {
    const target = health.addTarget("grpc-internal-server");
    internalGrpc = await listeners.grpc(
      [tcpAddress(options.internalListenAddress, options.internalGrpcPort)],
      async () => (await import("./grpc-doors.ts")).createInternalApi(doors),
    );
    logger.info(`Internal gRPC server is running on ${options.internalListenAddress}:${internalGrpc}`);
    target.ready();
  }
  return { http: httpPort, grpc, internalGrpc, public: publicPort, metrics: metricsPort };
}

async function openMetrics(doors: DoorsPlan, metrics: RuntimeMetrics): Promise<number> {
  const { options, deps, health } = doors.plan;
  const target = health.addTarget("metrics-exporter");
  const port = await doors.listeners.http(
    [tcpAddress(options.metrics.listenAddress, options.metrics.port)],
    metricsHandler(metrics.registry),
    {
      headerBytesMax: options.readBufferBytes,
      h2c: false,
    },
  );
  deps.logger.info(`metrics server started on ${options.metrics.listenAddress}:${port}/`);
  target.ready();
  return port;
}
