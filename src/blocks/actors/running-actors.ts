import type { ActorCall, ActorRef, ActorReply, ActorTickCall } from "../../app/actor-host.ts";
import { goErrorText } from "../../app/go-error-text.ts";
import type { StateItem } from "../../components/spi/state.ts";
import { actorErrors } from "../../errors/catalogue/actors.ts";
import { ApiError, apiError } from "../../errors/error.ts";
import { GRPC_STATUS } from "../../errors/grpc-status.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { GrpcError } from "../../net/grpc/status.ts";
import type { FailureStatus, Resiliency } from "../../resiliency/types.ts";
import type { ActorStateOperation } from "./actor-state.ts";
import type { TimerRequest } from "./actor-timers.ts";
import { type ActorsBlock, type ActorsStatus, checkReserved } from "./actors-block.ts";
import { type ActorsOptions, ActorsRuntime } from "./actors-runtime.ts";
import type { HostedActors } from "./types.ts";

/** Actors of a sidecar that has a placement service. */
export class RunningActors implements ActorsBlock {
  readonly disseminationTimeoutMs: number;
  readonly #runtime: ActorsRuntime;
  readonly #resiliency: Resiliency;

  constructor(options: ActorsOptions) {
    this.disseminationTimeoutMs = options.disseminationTimeoutMs;
    this.#runtime = new ActorsRuntime(options);
    this.#resiliency = options.resiliency;
  }

  async call(call: ActorCall): Promise<ActorReply> {
    const { router } = this.#runtime.serving();
    const policy = this.#resiliency.actor(call.type)?.preLock(call.id);
    try {
      return policy === undefined
        ? await router.call(call, false)
        : await policy.run((signal) => router.call({ ...call, signal }, false), {
            judge: (reply) => (reply.isError ? NO_STATUS : undefined),
            statusOf,
            signal: call.signal,
          });
    } catch (error) {
      throw invokeError(error);
    }
  }

  async callFromPeer(call: ActorCall): Promise<ActorReply> {
    try {
      return await this.#runtime.serving().router.call(call, true);
    } catch (error) {
      throw invokeError(error);
    }
  }

  async fireFromPeer(tick: ActorTickCall): Promise<void> {
    try {
      await this.#runtime.serving().router.fire(tick, true);
    } catch (error) {
      throw error instanceof ApiError || GrpcError.is(error)
        ? error
        : new GrpcError(GRPC_STATUS.UNKNOWN, goErrorText(error), { cause: error });
    }
  }

  getState(ref: ActorRef, key: string, signal?: CancelSignal): Promise<StateItem | undefined> {
    return this.#runtime.state.get(ref, key, signal);
  }

  transact(ref: ActorRef, operations: readonly ActorStateOperation[], signal?: CancelSignal): Promise<void> {
    return this.#runtime.state.transact(ref, operations, signal);
  }

  createTimer(request: TimerRequest): void {
    try {
      this.#runtime.timers.create(request);
    } catch (error) {
      throw apiError(actorErrors.timerCreate, { reason: goErrorText(error) }, { cause: error });
    }
  }

  deleteTimer(ref: ActorRef, name: string): void {
    this.#runtime.timers.delete(ref, name);
  }

  get reminders(): ActorsBlock["reminders"] {
    return this.#runtime.reminders;
  }

  checkAccess(type: string): void {
    checkReserved(type);
    this.#runtime.serving();
  }

  status(): ActorsStatus {
    return this.#runtime.status();
  }

  register(hosted: HostedActors | undefined): void {
    this.#runtime.register(hosted);
  }

  unregister(hosted: HostedActors): Promise<void> {
    return this.#runtime.unregister(hosted);
  }

  start(): void {
    this.#runtime.start();
  }

  close(): Promise<void> {
    return this.#runtime.close();
  }
}

const NO_STATUS: FailureStatus = { kind: "none" };

function statusOf(error: unknown): FailureStatus | undefined {
  return GrpcError.is(error) ? { kind: "grpc", code: error.code } : undefined;
}

function invokeError(error: unknown): ApiError {
  return error instanceof ApiError
    ? error
    : apiError(actorErrors.invoke, { reason: goErrorText(error) }, { cause: error });
}
