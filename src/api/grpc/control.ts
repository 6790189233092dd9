import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import type { ControlBlock } from "../../blocks/control/control.ts";
import type { MetadataSubscription, RuntimeMetadata } from "../../blocks/control/metadata.ts";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import {
  ActorRuntime_ActorRuntimeStatus,
  GetMetadataResponseSchema,
  PubsubSubscriptionType,
} from "../../wire/gen/dapr/proto/runtime/v1/metadata_pb.js";
import type { ServiceHandlers } from "./service.ts";

/** GetMetadata, SetMetadata and Shutdown of `dapr.proto.runtime.v1.Dapr`. */
export function controlHandlers(
  control: ControlBlock,
): Pick<ServiceHandlers<typeof Dapr>, "getMetadata" | "setMetadata" | "shutdown"> {
  const empty = create(EmptySchema);
  return {
    getMetadata: () => metadataResponse(control.metadata()),
    setMetadata(request) {
      control.setMetadata(request.key, request.value);
      return empty;
    },
    shutdown(_request, call) {
      control.shutdown(
        call.metadata.getAll("dapr-force-shutdown").some((value) => String(value).toLowerCase() === "true"),
      );
      return empty;
    },
  };
}

function metadataResponse(metadata: RuntimeMetadata) {
  const { health, ...connection } = metadata.appConnection;
  return create(GetMetadataResponseSchema, {
    id: metadata.id,
    runtimeVersion: metadata.runtimeVersion,
    enabledFeatures: [...metadata.enabledFeatures],
    registeredComponents: metadata.components.map((component) => ({
      ...component,
      capabilities: [...component.capabilities],
    })),
    extendedMetadata: { ...metadata.extended },
    subscriptions: metadata.subscriptions.map(subscriptionMessage),
    httpEndpoints: metadata.httpEndpoints.map((name) => ({ name })),
    resiliencies: metadata.resiliencies.map((name) => ({ name })),
    // oxlint-disable-next-line typescript/no-deprecated -- clients of old releases read it
    activeActorsCount: [...metadata.actors.active],
    actorRuntime: {
      runtimeStatus: ActorRuntime_ActorRuntimeStatus[metadata.actors.status],
      activeActors: [...metadata.actors.active],
      hostReady: metadata.actors.hostReady,
      placement: metadata.actors.placement,
    },
    ...(metadata.schedulers.length === 0 ? {} : { scheduler: { connectedAddresses: [...metadata.schedulers] } }),
    appConnectionProperties: {
      ...connection,
      ...(health === undefined
        ? {}
        : {
            health: {
              healthCheckPath: health.path ?? "",
              healthProbeInterval: health.probeInterval,
              healthProbeTimeout: health.probeTimeout,
              healthThreshold: health.threshold,
            },
          }),
    },
  });
}

function subscriptionMessage(subscription: MetadataSubscription) {
  return {
    pubsubName: subscription.pubsubName,
    topic: subscription.topic,
    metadata: { ...subscription.metadata },
    deadLetterTopic: subscription.deadLetterTopic,
    type: PubsubSubscriptionType[subscription.type],
    rules: { rules: subscription.rules.map((rule) => ({ match: rule.match, path: rule.path })) },
  };
}
