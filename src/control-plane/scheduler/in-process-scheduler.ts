import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ConnectScheduler, LocalScheduler } from "../../scheduling/types.ts";
import type { JoinedScheduler, JoinedSchedulerOptions } from "./joined-scheduler.ts";
import { DATABASE_FILE } from "./store/sqlite-schema.ts";

/**
 * The scheduler of sidecars in the same process: the same service on the same store, without sockets. Nothing of it is
 * loaded, and no file made, before somebody asks for it.
 */
export class InProcessScheduler implements LocalScheduler {
  readonly #options: JoinedSchedulerOptions;
  readonly #listeners = new Set<() => void>();
  #opening: Promise<JoinedScheduler> | undefined;
  #isClosed = false;

  constructor(options: JoinedSchedulerOptions) {
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
