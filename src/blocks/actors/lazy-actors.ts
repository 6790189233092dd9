import { type ActorCall, actorKey, type ActorRef, type ActorReply, type ActorTickCall } from "../../app/actor-host.ts";
import type { StateItem } from "../../components/spi/state.ts";
import { actorErrors } from "../../errors/catalogue/actors.ts";
import { ApiError, apiError } from "../../errors/error.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { errorMessage } from "../../kit/error-message.ts";
import type { Logger } from "../../kit/logger.ts";
import type { ReminderRequest, StoredReminder } from "./actor-reminders.ts";
import type { ActorStateOperation } from "./actor-state.ts";
import type { TimerRequest } from "./actor-timers.ts";
import { type ActorsBlock, type ActorsStatus, checkReserved } from "./actors-block.ts";
import type { HostedActors } from "./types.ts";

export interface LazyActorsOptions {
  readonly disseminationTimeoutMs: number;
  /** Makes the actors of this sidecar, not yet started. */
  readonly load: () => Promise<ActorsBlock>;
  readonly logger: Logger;
}

/**
 * Actors of a sidecar that has a placement service in its own process, where nothing has to be there before it is needed:
 * they are made when the app turns out to host some, or with the first call of one.
 */
export class LazyActors implements ActorsBlock {
  readonly disseminationTimeoutMs: number;
  readonly reminders = {
    create: async (request: ReminderRequest, signal?: CancelSignal): Promise<void> =>
      (await this.#loaded()).reminders.create(request, signal),
    get: async (ref: ActorRef, name: string, signal?: CancelSignal): Promise<StoredReminder> =>
      (await this.#loaded()).reminders.get(ref, name, signal),
    list: async (type: string, id: string | undefined, signal?: CancelSignal): Promise<readonly StoredReminder[]> =>
      (await this.#loaded()).reminders.list(type, id, signal),
    delete: async (ref: ActorRef, name: string, signal?: CancelSignal): Promise<void> =>
      (await this.#loaded()).reminders.delete(ref, name, signal),
    deleteAll: async (type: string, id: string | undefined, signal?: CancelSignal): Promise<void> =>
      (await this.#loaded()).reminders.deleteAll(type, id, signal),
  };
  readonly #options: LazyActorsOptions;
  #actors: ActorsBlock | undefined;
  #loading: Promise<ActorsBlock> | undefined;
  #isStarted = false;
  #isClosed = false;
  /** What the app hosts, once it has told. */
  #registered: { readonly hosted: HostedActors | undefined } | undefined;

  constructor(options: LazyActorsOptions) {
    this.#options = options;
    this.disseminationTimeoutMs = options.disseminationTimeoutMs;
  }

  call(call: ActorCall): Promise<ActorReply> {
    return this.#actors?.call(call) ?? this.#loaded().then((actors) => actors.call(call));
  }

  callFromPeer(call: ActorCall): Promise<ActorReply> {
    return this.#actors?.callFromPeer(call) ?? this.#loaded().then((actors) => actors.callFromPeer(call));
  }

  fireFromPeer(tick: ActorTickCall): Promise<void> {
    return this.#actors?.fireFromPeer(tick) ?? this.#loaded().then((actors) => actors.fireFromPeer(tick));
  }

  getState(ref: ActorRef, key: string, signal?: CancelSignal): Promise<StateItem | undefined> {
    return (
      this.#actors?.getState(ref, key, signal) ?? this.#loaded().then((actors) => actors.getState(ref, key, signal))
    );
  }

  transact(ref: ActorRef, operations: readonly ActorStateOperation[], signal?: CancelSignal): Promise<void> {
    return (
      this.#actors?.transact(ref, operations, signal) ??
      this.#loaded().then((actors) => actors.transact(ref, operations, signal))
    );
  }

  createTimer(request: TimerRequest): void {
    if (this.#actors === undefined) {
      const reason = `can't create timer for actor ${actorKey(request)}: actor type not registered`;
      throw apiError(actorErrors.timerCreate, { reason });
    }
    this.#actors.createTimer(request);
  }

  deleteTimer(ref: ActorRef, name: string): void {
    this.#actors?.deleteTimer(ref, name);
  }

  checkAccess(type: string): void {
    checkReserved(type);
    if (this.#isClosed || !this.#isStarted) {
      throw apiError(actorErrors.closed, {});
    }
    this.#actors?.checkAccess(type);
  }

  status(): ActorsStatus {
    if (this.#actors !== undefined) {
      return this.#actors.status();
    }
    return this.#registered === undefined
      ? { status: "INITIALIZING", active: [], hostReady: false, placement: "" }
      : { status: "RUNNING", active: [], hostReady: true, placement: "placement: connected" };
  }

  register(hosted: HostedActors | undefined): void {
    this.#registered = { hosted };
    if (this.#actors !== undefined) {
      this.#actors.register(hosted);
    } else if (hosted !== undefined && hosted.types.size > 0 && this.#isStarted) {
      this.#loadForHosting();
    }
  }

  async unregister(hosted: HostedActors): Promise<void> {
    if (this.#registered?.hosted === hosted) {
      this.#registered = undefined;
    }
    await this.#actors?.unregister(hosted);
  }

  start(): void {
    this.#isStarted = true;
    if ((this.#registered?.hosted?.types.size ?? 0) > 0) {
      this.#loadForHosting();
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#loading?.catch(() => undefined);
    await this.#actors?.close();
  }

  #loadForHosting(): void {
    this.#loaded().catch((error: unknown) =>
      this.#options.logger.scope("dapr.runtime.actor").error(`no actor is hosted: ${errorMessage(error)}`),
    );
  }

  #loaded(): Promise<ActorsBlock> {
    if (this.#isClosed || !this.#isStarted) {
      return Promise.reject(apiError(actorErrors.closed, {}));
    }
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<ActorsBlock> {
    const actors = await this.#options.load();
    try {
      if (this.#isClosed) {
        throw apiError(actorErrors.closed, {});
      }
      actors.start();
    } catch (error) {
      await actors.close();
      throw error instanceof ApiError
        ? error
        : apiError(actorErrors.invoke, { reason: errorMessage(error) }, { cause: error });
    }
    this.#actors = actors;
    if (this.#registered !== undefined) {
      actors.register(this.#registered.hosted);
    }
    return actors;
  }
}
