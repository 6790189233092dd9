import { hostname } from "node:os";
import { PipelineClient } from "../app/pipeline-client.ts";
import type { MiddlewarePipeline } from "../components/spi/middleware.ts";
import type { NameResolver } from "../components/spi/name-resolution.ts";
import { resolveHttpEndpoint } from "../inventory/http-endpoint.ts";
import type { Inventory } from "../inventory/types.ts";
import { errorMessage } from "../kit/error-message.ts";
import { endpointSecureContext } from "../mesh/endpoint-tls.ts";
import { type ConnectOrigin, httpUrl } from "../mesh/http-endpoint-client.ts";
import { HttpEndpoints } from "../mesh/http-endpoints.ts";
import { KEEPALIVE, pieceBytesOf } from "../mesh/limits.ts";
import { Mesh } from "../mesh/mesh.ts";
import { createGrpcClient } from "../net/grpc/client.ts";
import type { HttpEndpointResource } from "../resources/http-endpoint.ts";
import { peerOptions } from "../security/peer-options.ts";
import { hostAddress } from "./host-address.ts";
import { namespaceOf } from "./namespace.ts";
import { grpcClientObserver } from "./observers.ts";
import { messageBytesMax } from "./options.ts";
import type { AssemblyPlan, Foundation } from "./plan.ts";

/** Milliseconds until a connection to an HTTP endpoint must stand, as with Dapr. */
const ENDPOINT_CONNECT_TIMEOUT_MS = 15_000;

/** What calls leave the sidecar by: to other sidecars, and to HTTP servers outside. */
export interface Outgoing {
  readonly mesh: Mesh;
  readonly endpoints: HttpEndpoints;
}

/** Nothing is connected before the first call; `loadEndpoints` follows when the secret stores are there. */
export function createOutgoing(
  { options, deps, identity, resiliency, metrics }: Foundation,
  resolver: NameResolver | undefined,
  pipeline: MiddlewarePipeline | undefined,
): Outgoing {
  const observer = grpcClientObserver(metrics);
  const mesh = new Mesh({
    ...deps,
    appId: options.appId,
    namespace: namespaceOf(options),
    hostAddress: hostAddress(options.internalListenAddress, options.hostAddress),
    hostName: hostname(),
    resolver: () => resolver,
    connect: (address, target) =>
      createGrpcClient(deps.transport, address, {
        messageBytesMax: messageBytesMax(options.maxBodyBytes),
        observer,
        // Which trust domain the other app is in, only its own certificate says, as with Dapr.
        ...peerOptions(identity, address, { ...target, trustDomain: undefined }, KEEPALIVE),
      }),
    pieceBytes: pieceBytesOf(messageBytesMax(options.maxBodyBytes)),
    resiliency,
    metrics: metrics?.invocation,
  });
  const endpoints = new HttpEndpoints({
    connect: pipeline === undefined ? connectOrigin : connectThrough(pipeline, options.maxBodyBytes),
    clock: deps.clock,
    observer: metrics?.httpClient,
    metrics: metrics?.invocation,
  });
  identity?.onRenewal(() => mesh.renewConnections());
  return { mesh, endpoints };
}

/** @throws Error with Dapr's text for an endpoint whose certificates cannot be used */
export async function loadEndpoints(outgoing: Outgoing, base: Foundation, inventory: Inventory): Promise<void> {
  for (const resource of base.resources.current.httpEndpoints) {
    await loadEndpoint(outgoing, base, resource, inventory);
  }
}

/** One endpoint, in place of an earlier one of its name. @throws as `loadEndpoints` does, and the earlier one stays */
export async function loadEndpoint(
  { endpoints }: Outgoing,
  { options, deps }: AssemblyPlan,
  resource: HttpEndpointResource,
  inventory: Inventory,
): Promise<void> {
  const { logger, environment, random } = deps;
  logger.info(`Found http endpoint: ${resource.name}`);
  try {
    httpUrl(resource.baseUrl);
  } catch (error) {
    const { file, line } = resource.origin;
    logger.error(`${file}:${line}: calls of HTTPEndpoint ${resource.name} will fail: ${errorMessage(error)}`);
  }
  const endpoint = await resolveHttpEndpoint(resource, {
    appId: options.appId,
    namespace: options.namespace,
    podName: environment["POD_NAME"] ?? "",
    environment,
    random,
    logger: logger.scope("dapr.runtime.processor.secret"),
    secretStore: (name) => inventory.secretstores.get(name)?.component,
  });
  endpoints.load(endpoint);
}

/** Calls of HTTP endpoints go through the app's pipeline, as in Dapr. */
function connectThrough(pipeline: MiddlewarePipeline, maxBodyBytes: number): ConnectOrigin {
  return async (origin, tls) => new PipelineClient(await connectOrigin(origin, tls), pipeline, maxBodyBytes);
}

const connectOrigin: ConnectOrigin = async (origin, tls) => {
  const { createHttpClient } = await import("../net/http/client.ts");
  const options = { connectTimeoutMs: ENDPOINT_CONNECT_TIMEOUT_MS, acceptsShortBodies: true };
  return origin.startsWith("https:")
    ? createHttpClient(origin, { ...options, secureContext: endpointSecureContext(tls) })
    : createHttpClient(origin, options);
};
