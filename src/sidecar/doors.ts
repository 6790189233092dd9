import { aboutRoutes } from "../api/http/about.ts";
import { actorsRoutes } from "../api/http/actors.ts";
import { bindingsRoutes } from "../api/http/bindings.ts";
import { componentsRoutes } from "../api/http/components.ts";
import { configurationRoutes } from "../api/http/configuration.ts";
import { controlRoutes } from "../api/http/control.ts";
import { conversationRoutes } from "../api/http/conversation.ts";
import { cryptoRoutes } from "../api/http/crypto.ts";
import { createHttpDoor, type HttpDoorOptions } from "../api/http/door.ts";
import { ExchangeTracing } from "../api/http/exchange-tracing.ts";
import { invokeFallback, invokeRoutes } from "../api/http/invoke.ts";
import { jobsRoutes } from "../api/http/jobs.ts";
import { lockRoutes } from "../api/http/lock.ts";
import { publishRoutes } from "../api/http/publish.ts";
import type { Route } from "../api/http/route.ts";
import { secretsRoutes } from "../api/http/secrets.ts";
import { stateRoutes } from "../api/http/state.ts";
import { subscriptionsRoutes } from "../api/http/subscriptions.ts";
import { subtleCryptoRoutes } from "../api/http/subtle-crypto.ts";
import { unimplementedRoutes } from "../api/http/unimplemented.ts";
import { createStreamTally } from "../kit/stream-tally.ts";
import type { HttpHandler } from "../net/http/types.ts";
import { metricsHandler } from "../telemetry/metrics/metrics-handler.ts";
import type { RuntimeMetrics } from "../telemetry/metrics/runtime-metrics.ts";
import { apiAddresses, tcpAddress } from "./listeners.ts";
import type { DoorsPlan } from "./doors-plan.ts";
import type { Foundation } from "./plan.ts";
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
  const { options } = doors.base;
  const pipeline = doors.connections.pipelines.server;
  return createHttpDoor({
    ...sharedHttpOptions(doors),
    routes: apiRoutes(doors),
    fallback: invokeFallback(invokeOptions(doors)),
    apiToken: options.apiToken,
    allowedOrigins: options.allowedOrigins,
    pipeline: pipeline === undefined ? undefined : { pipeline, maxBodyBytes: options.maxBodyBytes },
  });
}

/** Every route of the HTTP API. */
export function apiRoutes(doors: DoorsPlan): readonly Route[] {
  const { blocks } = doors;
  const { options, deps } = doors.base;
  return [
    ...controlRoutes(blocks.control),
    ...aboutRoutes(),
    ...componentsRoutes(blocks.components),
    ...subscriptionsRoutes(blocks.subscriptions),
    ...stateRoutes(blocks.state, { maxBodyBytes: options.maxBodyBytes }),
    ...publishRoutes(blocks.pubsub, { maxBodyBytes: options.maxBodyBytes }),
    ...bindingsRoutes(blocks.bindings, { maxBodyBytes: options.maxBodyBytes }),
    ...secretsRoutes(blocks.secrets),
    ...configurationRoutes(blocks.configuration, {
      appChannel: () => doors.connections.app?.channel,
      logger: deps.logger.scope("dapr.runtime.http"),
    }),
    ...cryptoRoutes(blocks.crypto, { maxBodyBytes: options.maxBodyBytes, logger: deps.logger }),
    ...subtleCryptoRoutes(blocks.crypto, { maxBodyBytes: options.maxBodyBytes }),
    ...actorsRoutes(blocks.actors, { maxBodyBytes: options.maxBodyBytes }),
    ...jobsRoutes(blocks.jobs, { maxBodyBytes: options.maxBodyBytes }),
    ...lockRoutes(blocks.lock, { maxBodyBytes: options.maxBodyBytes }),
    ...conversationRoutes(blocks.conversation, { maxBodyBytes: options.maxBodyBytes }),
    ...invokeRoutes(invokeOptions(doors)),
    ...unimplementedRoutes(),
  ];
}

function invokeOptions({ blocks, base }: DoorsPlan): Parameters<typeof invokeFallback>[0] {
  const { options, deps, metrics } = base;
  const errorCodes = metrics?.errorCodes;
  return {
    invocation: blocks.invocation,
    maxBodyBytes: options.maxBodyBytes,
    tally: createStreamTally(deps.streamGarbage),
    failurePassedOn: errorCodes === undefined ? undefined : (entry) => errorCodes.recordEntry(entry),
    logger: deps.logger,
  };
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
  base,
}: DoorsPlan): Pick<HttpDoorOptions, "accessRules" | "tracing" | "observer" | "clock" | "logger"> {
  const { configuration, metrics } = base;
  const { logger, clock, activity } = base.deps;
  const tracer = base.tracing.doors;
  return {
    accessRules: configuration.api,
    tracing: tracer === undefined ? undefined : new ExchangeTracing(tracer),
    observer: httpObserver(metrics, createApiLog(base), activity),
    clock,
    logger: logger.scope("dapr.runtime.http"),
  };
}

async function openDoors(doors: DoorsPlan, http: HttpHandler): Promise<SidecarPorts> {
  const { internalPort } = doors.connections;
  const { options, deps, health, listeners, metrics } = doors.base;
  const { logger } = deps;
  const { listenAddresses, unixDomainSocket, appId } = options;
  const limits = { headerBytesMax: options.readBufferBytes, h2c: !options.h2cDisabled };
  const metricsPort = metrics === undefined ? undefined : await openMetrics(doors.base, metrics);

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
  internalPort?.serve(async () => (await import("./grpc-doors.ts")).createInternalApi(doors));
  return { http: httpPort, grpc, internalGrpc: internalPort?.port, public: publicPort, metrics: metricsPort };
}

async function openMetrics(base: Foundation, metrics: RuntimeMetrics): Promise<number> {
  const { options, deps, health, listeners } = base;
  const target = health.addTarget("metrics-exporter");
  const port = await listeners.http(
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
