import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../kit/clock.ts";
import type { Logger } from "../../kit/logger.ts";
import type { Random } from "../../kit/random.ts";
import type { ConnectScheduler, LocalScheduler } from "../../scheduling/types.ts";
import type { JoinedScheduler } from "./joined-scheduler.ts";
import { DATABASE_FILE } from "./store/sqlite-schema.ts";

export interface InProcessSchedulerOptions {
  /** Where jobs and reminders are kept, made with the first of them; undefined: in memory, as long as this lives. */
  readonly folder: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * The scheduler of sidecars in the same process: the same service on the same store, without sockets. Nothing of it is
 * loaded, and no file made, before somebody asks for it.
 */
export class InProcessScheduler implements LocalScheduler {
  readonly #options: InProcessSchedulerOptions;
  readonly #listeners = new Set<() => void>();
  #opening: Promise<JoinedScheduler> | undefined;
  #isClosed = false;

  constructor(options: InProcessSchedulerOptions) {
    this.#options = options;
  }

  get hasJobs(): boolean {
    const { folder } = this.#options;
    return this.#opening !== undefined || (folder !== undefined && existsSync(join(folder, DATABASE_FILE)));
  }

  async open(): Promise<ConnectScheduler> {
    return (await this.#joined()).connect;
  }

  /** Opens it for sidecars elsewhere instead. @throws as `open` does */
  async share(): Promise<Pick<JoinedScheduler, "accept" | "announce">> {
    return await this.#joined();
  }

  onOpen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Sidecars must have let go of it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const joined = await this.#opening?.catch(() => undefined);
    await joined?.close();
  }

  async #joined(): Promise<JoinedScheduler> {
    if (this.#isClosed) {
      throw new Error("the scheduler is stopping");
    }
    this.#opening ??= this.#load();
    return await this.#opening;
  }

  async #load(): Promise<JoinedScheduler> {
    try {
      const { joinScheduler } = await import("./joined-scheduler.ts");
      const joined = await joinScheduler(this.#options);
      for (const listener of this.#listeners) {
        listener();
      }
      return joined;
    } catch (error) {
      this.#opening = undefined;
      throw error;
    }
  }
}
