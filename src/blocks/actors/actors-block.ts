import type { ActorCall, ActorRef, ActorReply, ActorTickCall } from "../../app/actor-host.ts";
import type { StateItem } from "../../components/spi/state.ts";
import { actorErrors } from "../../errors/catalogue/actors.ts";
import { apiError } from "../../errors/error.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { goQuote } from "../../kit/go-quote.ts";
import type { Logger } from "../../kit/logger.ts";
import { isReservedType } from "./actor-name.ts";
import type { ActorReminders } from "./actor-reminders.ts";
import type { ActorStateOperation } from "./actor-state.ts";
import type { TimerRequest } from "./actor-timers.ts";
import type { ActiveActorsCount, HostedActors } from "./types.ts";

/** How the metadata API tells how actors are doing. */
export interface ActorsStatus {
  readonly status: "INITIALIZING" | "DISABLED" | "RUNNING";
  readonly active: readonly ActiveActorsCount[];
  readonly hostReady: boolean;
  /** Undefined while it is too early to say. */
  readonly placement: "placement: connected" | "placement: disconnected" | "";
}

/** Actors: calls, state and timers, and hosting those of the app. */
export interface ActorsBlock {
  /** Milliseconds of a round of the placement service, which drains must fit into. */
  readonly disseminationTimeoutMs: number;
  /** A call from the API. @throws ApiError; what Dapr's gRPC would show unwrapped is its cause */
  call(call: ActorCall): Promise<ActorReply>;
  /** A call from another sidecar. @throws as `call` does */
  callFromPeer(call: ActorCall): Promise<ActorReply>;
  /** A timer or reminder that another sidecar brings. @throws GrpcError or ApiError */
  fireFromPeer(tick: ActorTickCall): Promise<void>;
  getState(ref: ActorRef, key: string, signal?: CancelSignal): Promise<StateItem | undefined>;
  transact(ref: ActorRef, operations: readonly ActorStateOperation[], signal?: CancelSignal): Promise<void>;
  createTimer(request: TimerRequest): void;
  /** @throws ApiError of any reminder operation; ERR_ACTOR_NO_PLACEMENT */
  readonly reminders: Pick<ActorReminders, "create" | "get" | "list" | "delete" | "deleteAll">;
  deleteTimer(ref: ActorRef, name: string): void;
  /** @throws ApiError ERR_ACTOR_TYPE_RESERVED, or why there are no actors at all; doors ask before they read a body */
  checkAccess(type: string): void;
  status(): ActorsStatus;
  /** The app is there, and hosts these; undefined: none. */
  register(hosted: HostedActors | undefined): void;
  /** The app is gone or unwell; resolves when its actors are deactivated. Nothing happens when others were registered since. */
  unregister(hosted: HostedActors): Promise<void>;
  /** Follows the placement service from now on. @throws Error where the loaded state stores do not go together */
  start(): void;
  /** Actors are deactivated, then others may have them. */
  close(): Promise<void>;
}

/** Without a placement service every operation says so. */
export class DisabledActors implements ActorsBlock {
  readonly disseminationTimeoutMs: number;

  readonly reminders = {
    create: (): Promise<never> => this.call(),
    get: (): Promise<never> => this.call(),
    list: (): Promise<never> => this.call(),
    delete: (): Promise<never> => this.call(),
    deleteAll: (): Promise<never> => this.call(),
  };

  constructor(disseminationTimeoutMs: number, logger: Logger) {
    this.disseminationTimeoutMs = disseminationTimeoutMs;
    logger
      .scope("dapr.runtime.actor")
      .info("Actor runtime disabled: placement service is not configured. Actor APIs will be unavailable");
  }

  call(): Promise<never> {
    return Promise.reject(apiError(actorErrors.noPlacement, {}));
  }

  callFromPeer(): Promise<never> {
    return this.call();
  }

  fireFromPeer(): Promise<never> {
    return this.call();
  }

  getState(): Promise<never> {
    return this.call();
  }

  transact(): Promise<never> {
    return this.call();
  }

  createTimer(): void {
    throw apiError(actorErrors.noPlacement, {});
  }

  deleteTimer(): void {
    throw apiError(actorErrors.noPlacement, {});
  }

  checkAccess(type: string): void {
    checkReserved(type);
    throw apiError(actorErrors.noPlacement, {});
  }

  status(): ActorsStatus {
    return { status: "DISABLED", active: [], hostReady: false, placement: "placement: disconnected" };
  }

  register(): void {}

  unregister(): Promise<void> {
    return Promise.resolve();
  }

  start(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** @throws ApiError ERR_ACTOR_TYPE_RESERVED for types of the workflow engine */
export function checkReserved(type: string): void {
  if (isReservedType(type)) {
    throw apiError(actorErrors.typeReserved, { type: goQuote(type) });
  }
}
