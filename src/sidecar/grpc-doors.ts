import { actorEventsHandlers } from "../api/grpc/actor-events.ts";
import { actorsHandlers } from "../api/grpc/actors.ts";
import { bindingsHandlers } from "../api/grpc/bindings.ts";
import { traceCalls } from "../api/grpc/call-tracing.ts";
import { configurationHandlers } from "../api/grpc/configuration.ts";
import { controlHandlers } from "../api/grpc/control.ts";
import { conversationHandlers } from "../api/grpc/conversation.ts";
import { cryptoHandlers } from "../api/grpc/crypto.ts";
import { createGrpcDoor } from "../api/grpc/door.ts";
import { invokeHandlers } from "../api/grpc/invoke.ts";
import { jobsHandlers } from "../api/grpc/jobs.ts";
import { lockHandlers } from "../api/grpc/lock.ts";
import { proxyUnknown } from "../api/grpc/proxy.ts";
import { publishHandlers } from "../api/grpc/publish.ts";
import { secretsHandlers } from "../api/grpc/secrets.ts";
import { stateHandlers } from "../api/grpc/state.ts";
import { stateListHandlers } from "../api/grpc/state-list.ts";
import { subscribeHandlers } from "../api/grpc/subscribe.ts";
import { subtleCryptoHandlers } from "../api/grpc/subtle-crypto.ts";
import { createPeerServer } from "../api/peer/peer-server.ts";
import { proxyFromPeers } from "../api/peer/proxy.ts";
import { CallProxy } from "../blocks/invocation/call-proxy.ts";
import { PeerPassage } from "../mesh/peer-passage.ts";
import { createStreamTally } from "../kit/stream-tally.ts";
import type { Interceptor } from "../net/grpc/server-types.ts";
import type { GrpcServer } from "../net/grpc/server.ts";
import type { DoorsPlan } from "./doors-plan.ts";
import type { Foundation } from "./plan.ts";
import { namespaceOf } from "./namespace.ts";
import { createApiLog, grpcObserver, internalGrpcObserver } from "./observers.ts";
import { messageBytesMax } from "./options.ts";

/** The gRPC API of a sidecar. */
export function createGrpcApi(doors: DoorsPlan): GrpcServer {
  const { base, connections, blocks } = doors;
  const { options, deps, configuration, metrics } = base;
  return createGrpcDoor({
    handlers: {
      ...controlHandlers(blocks.control),
      ...stateHandlers(blocks.state),
      ...publishHandlers(blocks.pubsub),
      ...subscribeHandlers(blocks.subscriptions.streams),
      ...bindingsHandlers(blocks.bindings),
      ...secretsHandlers(blocks.secrets),
      ...configurationHandlers(blocks.configuration, deps.logger.scope("dapr.runtime.grpc.api")),
      ...jobsHandlers(blocks.jobs),
      ...actorsHandlers(blocks.actors),
      ...actorEventsHandlers({
        actors: blocks.actors,
        appProtocol: connections.app?.channel.protocol,
        logger: deps.logger.scope("dapr.runtime.actors.callbackstream"),
      }),
      ...lockHandlers(blocks.lock),
      ...cryptoHandlers(blocks.crypto, deps.clock),
      ...subtleCryptoHandlers(blocks.crypto),
      ...conversationHandlers(blocks.conversation),
      ...invokeHandlers({ invocation: blocks.invocation, maxBodyBytes: options.maxBodyBytes, logger: deps.logger }),
    },
    stateHandlers: stateListHandlers(blocks.state),
    unknown: proxyUnknown(createCallProxy(doors)),
    apiToken: options.apiToken,
    accessRules: configuration.api,
    maxBodyBytes: messageBytesMax(options.maxBodyBytes),
    tracing: callTracing(base),
    observer: grpcObserver(metrics, createApiLog(base), deps.activity),
    clock: deps.clock,
    logger: deps.logger.scope("dapr.runtime.grpc.api"),
  });
}

/** The door for other sidecars. */
export function createInternalApi(doors: DoorsPlan): GrpcServer {
  const { base, blocks } = doors;
  const { options, deps, metrics } = base;
  const tracing = callTracing(base);
  return createPeerServer({
    invocation: blocks.invocation,
    actors: blocks.actors,
    unknown: proxyFromPeers(createCallProxy(doors)),
    maxBodyBytes: messageBytesMax(options.maxBodyBytes),
    tally: createStreamTally(deps.streamGarbage),
    logger: deps.logger.scope("dapr.runtime.grpc.internal"),
    tracing: tracing === undefined ? undefined : { interceptor: tracing, appId: options.appId },
    observer: internalGrpcObserver(metrics, deps.activity),
    clock: deps.clock,
  });
}

function callTracing({ options, tracing }: Foundation): Interceptor | undefined {
  return tracing.doors === undefined ? undefined : traceCalls(tracing.doors, options.appId);
}

function createCallProxy({ base, connections }: DoorsPlan): CallProxy {
  const { options, deps, resiliency, access, metrics } = base;
  const { app, outgoing } = connections;
  return new CallProxy({
    appId: options.appId,
    namespace: namespaceOf(options),
    app: app?.passage,
    peers: new PeerPassage(options.appId, outgoing.mesh),
    resiliency,
    access,
    metrics: metrics?.invocation,
    clock: deps.clock,
  });
}
