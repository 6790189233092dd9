import type fc from "fast-check";
import { MemoryStore } from "./memory-store.fixture.ts";
import type { Change, Versioned, VersionedStore } from "./versioned-store.ts";

/** Thrown where a test lets a process die: what it had not written by then is never written. */
export class CrashError extends Error {
  override readonly name = "CrashError";
}

/** A store in memory whose every request waits for the scheduler, so that a run decides which of them comes next. */
export class ScheduledStore extends MemoryStore {
  readonly #scheduler: fc.Scheduler;

  constructor(scheduler: fc.Scheduler) {
    super();
    this.#scheduler = scheduler;
  }

  override async read(keys: readonly string[]): Promise<Map<string, Versioned>> {
    await this.#scheduler.schedule(Promise.resolve(), "read");
    return await super.read(keys);
  }

  override async write(changes: readonly Change[]): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve(), "write");
    await super.write(changes);
  }
}

/** The same store as a process sees it that dies with one of its writes: before it, or after it without knowing. */
export class CrashingStore implements VersionedStore {
  readonly #store: VersionedStore;
  readonly #written: boolean;
  #writesLeft: number;

  constructor(store: VersionedStore, { writes, written }: { readonly writes: number; readonly written: boolean }) {
    this.#store = store;
    this.#writesLeft = writes;
    this.#written = written;
  }

  async read(keys: readonly string[]): Promise<ReadonlyMap<string, Versioned>> {
    this.#live();
    return await this.#store.read(keys);
  }

  async write(changes: readonly Change[]): Promise<void> {
    this.#live();
    if (--this.#writesLeft < 0) {
      if (this.#written) await this.#store.write(changes);
      throw new CrashError("the process died");
    }
    await this.#store.write(changes);
  }

  #live(): void {
    if (this.#writesLeft < 0) throw new CrashError("the process is dead");
  }
}
