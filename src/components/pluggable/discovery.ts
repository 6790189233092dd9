import { parse } from "node:path";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { sleep } from "../../kit/clock.ts";
import { errorMessage } from "../../kit/error-message.ts";
import { createGrpcClient } from "../../net/grpc/client.ts";
import { methodsOf } from "../../net/grpc/protobuf.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { GrpcClient } from "../../net/grpc/types.ts";
import {
  InputBinding as InputService,
  OutputBinding as OutputService,
} from "../../wire/gen/dapr/proto/components/v1/bindings_pb.js";
import { PubSub as PubSubService } from "../../wire/gen/dapr/proto/components/v1/pubsub_pb.js";
import { SecretStore as SecretStoreService } from "../../wire/gen/dapr/proto/components/v1/secretstore_pb.js";
import { StateStore as StateStoreService } from "../../wire/gen/dapr/proto/components/v1/state_pb.js";
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
} from "../../wire/gen/grpc/reflection/v1/reflection_pb.js";
import { create } from "@bufbuild/protobuf";
import type { ComponentFamily, ComponentManifest } from "../spi/component.ts";
import type { ComponentSocket } from "./connection.ts";
import { DISCOVERY_MS_MAX, DISCOVERY_RETRY_MS } from "./limits.ts";
import type { PluggableOptions } from "./manifest.ts";
import { statusError } from "./status-error.ts";

const { serverReflectionInfo: REFLECTION } = methodsOf(ServerReflection);
/** Asked in Dapr's order: servers older than the stable version answer only the first. Their messages are equal. */
const REFLECTION_VERSIONS = ["v1alpha", "v1"] as const;

const OFFERED_BY: Readonly<Record<string, ComponentFamily>> = {
  [StateStoreService.typeName]: "state",
  [PubSubService.typeName]: "pubsub",
  [InputService.typeName]: "bindings",
  [OutputService.typeName]: "bindings",
  [SecretStoreService.typeName]: "secretstores",
};

/** Asks every socket what it offers, all at once. */
export async function discover(
  sockets: readonly string[],
  options: PluggableOptions,
): Promise<readonly ComponentManifest[]> {
  const found = await Promise.all(sockets.map((path) => manifestsOf(path, options)));
  return found.flat();
}

async function manifestsOf(path: string, options: PluggableOptions): Promise<readonly ComponentManifest[]> {
  const { transport, messageBytesMax } = options;
  const logger = options.logger.scope("pluggable-components-grpc-connector");
  let services: ReadonlySet<string>;
  try {
    services = await servicesOf(path, options);
  } catch (error) {
    const reason = errorMessage(statusError(error));
    logger.error(
      `could not initialize pluggable components of ${path}: unable to list services: ${reason}. Their types are not known to this sidecar; if nobody serves the socket any more, remove the file`,
    );
    return [];
  }
  const { name } = parse(path);
  const socket: ComponentSocket = { path, transport, messageBytesMax, services };
  const families = new Set<ComponentFamily>();
  for (const service of services) {
    const family = OFFERED_BY[service];
    if (family !== undefined) {
      families.add(family);
      logger.info(`pluggable component '${name}' was successfully registered for '${service}'`);
    }
  }
  return Array.from(families, (family) => manifestOf(family, name, socket));
}

function manifestOf(family: ComponentFamily, name: string, socket: ComponentSocket): ComponentManifest {
  return {
    family,
    type: `${family}.${name.toLowerCase()}`,
    versions: [{ version: "v1", stability: "stable" }],
    capabilities: family === "bindings" ? directionsOf(socket.services) : [],
    metadata: [],
    load: () => loadFamily(family, socket),
  };
}

async function loadFamily(family: ComponentFamily, socket: ComponentSocket): ReturnType<ComponentManifest["load"]> {
  switch (family) {
    case "state":
      return (await import("./state-store.ts")).pluggableStateStore(socket);
    case "pubsub":
      return (await import("./pubsub.ts")).pluggablePubSub(socket);
    case "bindings":
      return (await import("./binding.ts")).pluggableBinding(socket);
    default:
      return (await import("./secret-store.ts")).pluggableSecretStore(socket);
  }
}

function directionsOf(services: ReadonlySet<string>): readonly string[] {
  return [
    ...(services.has(InputService.typeName) ? ["INPUT_BINDING"] : []),
    ...(services.has(OutputService.typeName) ? ["OUTPUT_BINDING"] : []),
  ];
}

/** The services of a server, which may still be starting. @throws GrpcError of the last attempt */
async function servicesOf(path: string, options: PluggableOptions): Promise<ReadonlySet<string>> {
  const { transport, messageBytesMax, clock } = options;
  const client = createGrpcClient(transport, `unix:${path}`, { messageBytesMax });
  const endMs = clock.monotonicMs() + DISCOVERY_MS_MAX;
  try {
    for (;;) {
      try {
        return await listServices(client, endMs - clock.monotonicMs());
      } catch (error) {
        const isStarting = GrpcError.is(error) && error.code === GRPC_STATUS.UNAVAILABLE;
        if (!isStarting || clock.monotonicMs() + DISCOVERY_RETRY_MS >= endMs) {
          throw error;
        }
      }
      await sleep(clock, DISCOVERY_RETRY_MS);
    }
  } finally {
    await client.close();
  }
}

async function listServices(client: GrpcClient, timeoutMs: number): Promise<ReadonlySet<string>> {
  const request = create(ServerReflectionRequestSchema, { messageRequest: { case: "listServices", value: "*" } });
  const [oldest, ...newer] = REFLECTION_VERSIONS;
  try {
    return await askReflection(client, oldest, request, timeoutMs);
  } catch (error) {
    const [stable] = newer;
    if (stable === undefined || !GrpcError.is(error) || error.code !== GRPC_STATUS.UNIMPLEMENTED) {
      throw error;
    }
    return askReflection(client, stable, request, timeoutMs);
  }
}

async function askReflection(
  client: GrpcClient,
  version: string,
  request: ServerReflectionRequest,
  timeoutMs: number,
): Promise<ReadonlySet<string>> {
  const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
  const stream = client.stream({ ...REFLECTION, path }, { timeoutMs });
  await stream.send(request, true);
  for await (const { messageResponse } of stream.responses) {
    if (messageResponse.case === "listServicesResponse") {
      return new Set(messageResponse.value.service.map(({ name }) => name));
    }
    if (messageResponse.case === "errorResponse") {
      const { errorCode, errorMessage: text } = messageResponse.value;
      throw new GrpcError(errorCode === GRPC_STATUS.UNIMPLEMENTED ? errorCode : GRPC_STATUS.UNKNOWN, text);
    }
  }
  throw new GrpcError(GRPC_STATUS.UNKNOWN, "the server has answered without its services");
}
