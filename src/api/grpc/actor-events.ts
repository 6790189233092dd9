import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";
import type { AppProtocol } from "../../app/types.ts";
import type { ActorsBlock } from "../../blocks/actors/actors-block.ts";
import { type HostConfig, hostSettingsOf } from "../../blocks/actors/host-settings.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import { formatGoDuration } from "../../kit/duration.ts";
import type { Logger } from "../../kit/logger.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type {
  ActorReentrancyConfig,
  SubscribeActorEventsRequestAlpha1,
  SubscribeActorEventsRequestInitialAlpha1,
  SubscribeActorEventsResponseAlpha1,
} from "../../wire/gen/dapr/proto/runtime/v1/actors_pb.js";
import type { Dapr } from "../../wire/gen/dapr/proto/runtime/v1/dapr_pb.js";
import { EventQueue } from "./event-queue.ts";
import type { ServiceHandlers } from "./service.ts";
import { StreamActorHost } from "./stream-actor-host.ts";

type Requests = AsyncIterator<SubscribeActorEventsRequestAlpha1>;
type Event = SubscribeActorEventsResponseAlpha1["responseType"];

export interface ActorEventsOptions {
  readonly actors: ActorsBlock;
  /** What the app behind this sidecar speaks; undefined: it has no port. */
  readonly appProtocol: AppProtocol | undefined;
  readonly logger: Logger;
}

/** SubscribeActorEventsAlpha1 of `dapr.proto.runtime.v1.Dapr`: an app hosts actors on a stream that it opens itself. */
export function actorEventsHandlers(
  options: ActorEventsOptions,
): Pick<ServiceHandlers<typeof Dapr>, "subscribeActorEventsAlpha1"> {
  return { subscribeActorEventsAlpha1: (requests) => serveStream(requests[Symbol.asyncIterator](), options) };
}

/** Ends when the app closes its side or cancels the call; then the app hosts nothing any more. */
async function* serveStream(
  requests: Requests,
  { actors, appProtocol, logger }: ActorEventsOptions,
): AsyncGenerator<SubscribeActorEventsResponseAlpha1> {
  if (appProtocol !== undefined && appProtocol !== "grpc" && appProtocol !== "grpcs") {
    throw new GrpcError(GRPC_STATUS.FAILED_PRECONDITION, "actor callback streaming requires a gRPC app channel");
  }
  const first = await requests.next();
  if (first.done === true) {
    return;
  }
  const initial = first.value.requestType;
  if (initial.case !== "initialRequest") {
    throw new GrpcError(GRPC_STATUS.INVALID_ARGUMENT, "first message must be SubscribeActorEventsRequestInitialAlpha1");
  }
  const queue = new EventQueue<Event>();
  const host = new StreamActorHost((event) => queue.push(event));
  const settings = hostSettingsOf(configOf(initial.value), actors.disseminationTimeoutMs, logger);
  // The stream of before may have broken while the app kept its actors; this sidecar may be a new one, too.
  const hosted = { ...settings, mayRemember: true, host };
  void readAnswers(requests, host, queue, logger);
  yield response({
    case: "initialResponse",
    value: { $typeName: "dapr.proto.runtime.v1.SubscribeActorEventsResponseInitialAlpha1" },
  });
  actors.register(hosted);
  try {
    for await (const event of queue) {
      yield response(event);
    }
  } finally {
    host.end();
    await actors.unregister(hosted);
  }
}

/** Its end, whatever the reason, is the end of the queue. */
async function readAnswers(
  requests: Requests,
  host: StreamActorHost,
  queue: EventQueue<unknown>,
  logger: Logger,
): Promise<void> {
  try {
    for (let next = await requests.next(); next.done !== true; next = await requests.next()) {
      if (!host.answer(next.value.requestType)) {
        logger.warn(`Dropping an actor callback response that answers nothing: ${next.value.requestType.case ?? ""}`);
      }
    }
    queue.end();
  } catch (error) {
    queue.end(error instanceof Error ? error : new Error(String(error)));
  }
}

/** The registration in the shape in which HTTP apps say the same. */
function configOf(initial: SubscribeActorEventsRequestInitialAlpha1): HostConfig {
  const { entities, actorIdleTimeout, drainOngoingCallTimeout, drainRebalancedActors, reentrancy } = initial;
  return {
    entities,
    actorIdleTimeout: textOf(actorIdleTimeout),
    drainOngoingCallTimeout: textOf(drainOngoingCallTimeout),
    drainRebalancedActors,
    reentrancy: reentrancyOf(reentrancy),
    entitiesConfig: initial.entitiesConfig.map((one) => ({
      entities: one.entities,
      actorIdleTimeout: textOf(one.actorIdleTimeout),
      drainOngoingCallTimeout: textOf(one.drainOngoingCallTimeout),
      reentrancy: reentrancyOf(one.reentrancy),
    })),
  };
}

function textOf(duration: Duration | undefined): string {
  return duration === undefined ? "" : formatGoDuration(durationMs(duration));
}

function reentrancyOf(config: ActorReentrancyConfig | undefined) {
  return config === undefined ? {} : { enabled: config.enabled, maxStackDepth: config.maxStackDepth };
}

function response(responseType: Event): SubscribeActorEventsResponseAlpha1 {
  return { $typeName: "dapr.proto.runtime.v1.SubscribeActorEventsResponseAlpha1", responseType };
}
