import type { CancelSignal } from "../kit/cancel-signal.ts";
import type { Clock, Timer } from "../kit/clock.ts";
import { errorMessage } from "../kit/error-message.ts";
import type { Logger } from "../kit/logger.ts";
import { OPEN_RETRY_MS } from "./limits.ts";
import type {
  ConnectScheduler,
  JobSpec,
  JobTarget,
  LocalScheduler,
  NamedJob,
  NamedReminder,
  SchedulerCalls,
  SchedulerClient,
  TriggerHandler,
} from "./types.ts";

export interface LazySchedulerOptions {
  readonly local: LocalScheduler;
  /** Makes the client once the scheduler is open. */
  readonly connect: (connect: ConnectScheduler) => Promise<SchedulerClient>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The client of a scheduler in this process, which is opened with the first call, or with the first handler of triggers
 * when there may be some. A scheduler that cannot be opened fails the call, and the next one tries again, as time does for
 * the sake of triggers.
 */
export class LazyScheduler implements SchedulerClient {
  readonly #options: LazySchedulerOptions;
  readonly #unlisten: () => void;
  #client: SchedulerClient | undefined;
  #opening: Promise<SchedulerClient> | undefined;
  #app: TriggerHandler | undefined;
  #actors: { readonly types: readonly string[]; readonly handler: TriggerHandler } | undefined;
  #retry: Timer | undefined;
  #hasComplained = false;
  #isClosed = false;

  constructor(options: LazySchedulerOptions) {
    this.#options = options;
    this.#unlisten = options.local.onOpen(() => this.#openForTriggers());
  }

  get addresses(): readonly string[] {
    return this.#client?.addresses ?? [];
  }

  start(): void {}

  async serveApp(handler: TriggerHandler | undefined): Promise<void> {
    this.#app = handler;
    await this.#client?.serveApp(handler);
    this.#openForTriggers();
  }

  async serveActors(types: readonly string[], handler: TriggerHandler): Promise<void> {
    this.#actors = { types, handler };
    await this.#client?.serveActors(types, handler);
    this.#openForTriggers();
  }

  async schedule(...call: Parameters<SchedulerCalls["schedule"]>): Promise<void> {
    await (await this.#open()).schedule(...call);
  }

  async get(target: JobTarget, name: string, signal?: CancelSignal): Promise<JobSpec> {
    return await (await this.#open()).get(target, name, signal);
  }

  async list(target: JobTarget, signal?: CancelSignal): Promise<readonly NamedJob[]> {
    return await (await this.#open()).list(target, signal);
  }

  async delete(target: JobTarget, name: string, signal?: CancelSignal): Promise<void> {
    await (await this.#open()).delete(target, name, signal);
  }

  async deleteByPrefix(target: JobTarget, prefix: string, signal?: CancelSignal): Promise<void> {
    await (await this.#open()).deleteByPrefix(target, prefix, signal);
  }

  async listReminders(actor: NamedReminder["actor"], signal?: CancelSignal): Promise<readonly NamedReminder[]> {
    return await (await this.#open()).listReminders(actor, signal);
  }

  async deleteReminders(actor: NamedReminder["actor"], byPrefix: boolean, signal?: CancelSignal): Promise<void> {
    await (await this.#open()).deleteReminders(actor, byPrefix, signal);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#unlisten();
    this.#retry?.cancel();
    await this.#opening?.catch(() => undefined);
    await this.#client?.close();
  }

  #open(): Promise<SchedulerClient> {
    this.#opening ??= this.#connected();
    return this.#opening;
  }

  async #connected(): Promise<SchedulerClient> {
    const { local, connect } = this.#options;
    try {
      const client = await connect(await local.open());
      if (this.#isClosed) {
        await client.close();
        throw new Error("the sidecar is stopping");
      }
      client.start();
      this.#client = client;
      this.#retry?.cancel();
      void client.serveApp(this.#app);
      if (this.#actors !== undefined) {
        void client.serveActors(this.#actors.types, this.#actors.handler);
      }
      return client;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }

  #openForTriggers(): void {
    const isServed = this.#app !== undefined || (this.#actors?.types.length ?? 0) > 0;
    if (this.#opening !== undefined || this.#isClosed || !isServed || !this.#options.local.hasJobs) {
      return;
    }
    this.#retry?.cancel();
    this.#open().catch((error: unknown) => {
      if (!this.#isClosed) {
        this.#complain(error);
        this.#retry = this.#options.clock.after(OPEN_RETRY_MS, () => this.#openForTriggers());
      }
    });
  }

  /** Once: it would be the same at every attempt. */
  #complain(error: unknown): void {
    if (!this.#hasComplained) {
      this.#hasComplained = true;
      this.#options.logger
        .scope("dapr.runtime.scheduler.cluster")
        .error(`no job and no reminder is triggered, which is tried again and again: ${errorMessage(error)}`);
    }
  }
}
