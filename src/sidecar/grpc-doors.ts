import { bindingsHandlers } from "../api/grpc/bindings.ts";
import { configurationHandlers } from "../api/grpc/configuration.ts";
import { controlHandlers } from "../api/grpc/control.ts";
import { createGrpcDoor } from "../api/grpc/door.ts";
import { invokeHandlers } from "../api/grpc/invoke.ts";
import { lockHandlers } from "../api/grpc/lock.ts";
import { publishHandlers } from "../api/grpc/publish.ts";
import { secretsHandlers } from "../api/grpc/secrets.ts";
import { stateHandlers } from "../api/grpc/state.ts";
import { createPeerServer } from "../api/peer/peer-server.ts";
import type { GrpcServer } from "../net/grpc/server.ts";
import type { DoorsPlan } from "./plan.ts";
import { createApiLog, grpcObserver } from "./observers.ts";
import { messageBytesMax } from "./options.ts";

/** The gRPC API of a sidecar. */
export function createGrpcApi({ plan, configuration, metrics, blocks }: DoorsPlan): GrpcServer {
  const { options, deps } = plan;
  return createGrpcDoor({
    handlers: {
      ...controlHandlers(blocks.control),
      ...stateHandlers(blocks.state),
      ...publishHandlers(blocks.pubsub),
      ...bindingsHandlers(blocks.bindings),
      ...secretsHandlers(blocks.secrets),
      ...configurationHandlers(blocks.configuration, deps.logger.scope("dapr.runtime.grpc.api")),
      ...lockHandlers(blocks.lock),
      ...invokeHandlers({ invocation: blocks.invocation, maxBodyBytes: options.maxBodyBytes, logger: deps.logger }),
    },
    apiToken: options.apiToken,
    accessRules: configuration.api,
    maxBodyBytes: messageBytesMax(options.maxBodyBytes),
    observer: grpcObserver(metrics, createApiLog(plan, configuration), deps.activity),
    clock: deps.clock,
    logger: deps.logger.scope("dapr.runtime.grpc.api"),
  });
}

/** The door for other sidecars. */
export function createInternalApi({ plan, metrics, blocks }: DoorsPlan): GrpcServer {
  const { options, deps } = plan;
  return createPeerServer({
    invocation: blocks.invocation,
    maxBodyBytes: messageBytesMax(options.maxBodyBytes),
    logger: deps.logger.scope("dapr.runtime.grpc.internal"),
    observer: grpcObserver(metrics, undefined, deps.activity),
    clock: deps.clock,
  });
}
