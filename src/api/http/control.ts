import type { ControlBlock } from "../../blocks/control/control.ts";
import type { RuntimeMetadata } from "../../blocks/control/metadata.ts";
import { respondEmpty, respondJson } from "./reply.ts";
import type { Route } from "./route.ts";

/** Most bytes of one value of `PUT /v1.0/metadata/{key}`. */
export const METADATA_VALUE_BYTES_MAX = 65_536;

const FORCE_HEADER = "dapr-force-shutdown";

/** Health, metadata and shutdown: routes 36 to 40 of the HTTP API. */
export function controlRoutes(control: ControlBlock): Route[] {
  return [
    {
      methods: ["GET"],
      path: "/v1.0/healthz",
      group: { name: "healthz", version: "v1" },
      name: "Healthz",
      health: true,
      onPublicPort: true,
      handler(exchange, _params, query) {
        const parameters = new URLSearchParams(query);
        control.checkHealth(parameters.has("appid") ? (parameters.get("appid") ?? "") : undefined);
        respondEmpty(exchange);
      },
    },
    {
      methods: ["GET"],
      path: "/v1.0/healthz/outbound",
      group: { name: "healthz", version: "v1" },
      name: "HealthzOutbound",
      health: true,
      onPublicPort: true,
      handler(exchange) {
        control.checkOutboundHealth();
        respondEmpty(exchange);
      },
    },
    {
      methods: ["GET"],
      path: "/v1.0/metadata",
      group: { name: "metadata", version: "v1" },
      name: "GetMetadata",
      onPublicPort: true,
      handler(exchange) {
        respondJson(exchange, 200, JSON.stringify(metadataBody(control.metadata())));
      },
    },
    {
      methods: ["PUT"],
      path: "/v1.0/metadata/:key",
      group: { name: "metadata", version: "v1" },
      name: "PutMetadata",
      onPublicPort: true,
      async handler(exchange, params) {
        const body = await exchange.readBody(METADATA_VALUE_BYTES_MAX);
        control.setMetadata(params["key"] ?? "", Buffer.from(body).toString());
        respondEmpty(exchange);
      },
    },
    {
      methods: ["POST"],
      path: "/v1.0/shutdown",
      group: { name: "shutdown", version: "v1" },
      name: "Shutdown",
      handler(exchange) {
        control.shutdown(exchange.header(FORCE_HEADER)?.toLowerCase() === "true");
        respondEmpty(exchange);
      },
    },
  ];
}

/** Dapr's field order; empty fields are left out as its encoder leaves them out. */
function metadataBody(metadata: RuntimeMetadata): unknown {
  return {
    id: metadata.id === "" ? undefined : metadata.id,
    runtimeVersion: metadata.runtimeVersion,
    enabledFeatures: nonEmpty(metadata.enabledFeatures),
    actors: activeActors(metadata),
    components: nonEmpty(
      metadata.components.map((component) => ({
        name: component.name,
        type: component.type,
        version: component.version === "" ? undefined : component.version,
        capabilities: nonEmpty(component.capabilities),
      })),
    ),
    extended: metadata.extended,
    subscriptions: nonEmpty(metadata.subscriptions.map(subscriptionBody)),
    httpEndpoints: nonEmpty(metadata.httpEndpoints.map((name) => ({ name }))),
    appConnectionProperties: appConnectionBody(metadata),
    actorRuntime: {
      runtimeStatus: metadata.actors.status,
      activeActors: activeActors(metadata),
      hostReady: metadata.actors.hostReady,
      placement: metadata.actors.placement,
    },
    scheduler: metadata.schedulers.length === 0 ? undefined : { connected_addresses: metadata.schedulers },
    resiliencies: nonEmpty(metadata.resiliencies.map((name) => ({ name }))),
  };
}

/** A count of zero is left out, as Go leaves it out. */
function activeActors({ actors }: RuntimeMetadata): readonly unknown[] | undefined {
  return nonEmpty(actors.active.map(({ type, count }) => ({ type, count: count === 0 ? undefined : count })));
}

function subscriptionBody(subscription: RuntimeMetadata["subscriptions"][number]): unknown {
  const { metadata, rules } = subscription;
  return {
    pubsubname: subscription.pubsubName,
    topic: subscription.topic,
    metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
    rules: nonEmpty(
      rules.map((rule) => ({
        match: rule.match === "" ? undefined : rule.match,
        path: rule.path === "" ? undefined : rule.path,
      })),
    ),
    deadLetterTopic: subscription.deadLetterTopic,
    type: subscription.type,
  };
}

function appConnectionBody(metadata: RuntimeMetadata): unknown {
  const { health, ...connection } = metadata.appConnection;
  return {
    port: connection.port === 0 ? undefined : connection.port,
    protocol: connection.protocol === "" ? undefined : connection.protocol,
    channelAddress: connection.channelAddress === "" ? undefined : connection.channelAddress,
    maxConcurrency: connection.maxConcurrency === 0 ? undefined : connection.maxConcurrency,
    health:
      health === undefined
        ? undefined
        : {
            healthCheckPath: health.path,
            healthProbeInterval: health.probeInterval,
            healthProbeTimeout: health.probeTimeout,
            healthThreshold: health.threshold,
          },
  };
}

function nonEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}
