import type { StateFence, StateOperation } from "../../components/spi/state.ts";
import { type FencedStore, UncertainWriteError } from "./fenced-store.ts";
import { WAITING_COMMITS_MAX } from "./limits.ts";

/** The key of an actor's fence row, behind the actor's own prefix. */
export const FENCE_KEY = "outrigger.fence";

/** Another activation has committed since this one began to read: nothing was written. */
export class FenceBrokenError extends Error {
  override readonly name = "FenceBrokenError";
}

/**
 * What one activation of an actor knows of the actor's fence row. The row is read before any other state of the actor, and
 * each commit finds it as it was left by the activation's last one and moves it on. So whoever reads state before another
 * activation commits cannot commit afterwards: every commit has seen all those before it.
 */
export class ActorFence {
  readonly store: FencedStore;
  readonly #actor: string;
  readonly #key: string;
  readonly #activation: string;
  #commits = 0;
  #isKnown = false;
  #expected: Uint8Array | undefined;
  #learning: Promise<void> | undefined;
  #isBusy = false;
  readonly #waiting: (() => void)[] = [];
  /** The one in whose place it has come, until the row is known. */
  #before: ActorFence | undefined;
  #quiet: PromiseWithResolvers<void> | undefined;

  /** @param actor what the actor's keys begin with, without the last `||` @param activation unlike any other, ever */
  constructor(store: FencedStore, actor: string, activation: string) {
    this.store = store;
    this.#actor = actor;
    this.#key = `${actor}||${FENCE_KEY}`;
    this.#activation = activation;
  }

  /**
   * The fence goes on in a store that has taken the place of its own while the actor was active. What it finds there must
   * be what it left, or nothing at all, as in an empty store: anything else was written by somebody else.
   * @param activation as for the constructor
   */
  movedTo(store: FencedStore, activation: string): ActorFence {
    const next = new ActorFence(store, this.#actor, activation);
    next.#before = this;
    return next;
  }

  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Of a row that is known. */
  get hasRow(): boolean {
    return this.#expected !== undefined;
  }

  /**
   * Reads the row, once; whatever else is read of the actor is read afterwards.
   * @throws the store's error; FenceBrokenError after a move
   */
  learn(): Promise<void> {
    this.#learning ??= this.#learn();
    return this.#learning;
  }

  /** Waits until the row is known and no other commit is under way; `end` must follow. @throws Error when too many wait */
  async begin(): Promise<void> {
    if (this.#isBusy) {
      if (this.#waiting.length >= WAITING_COMMITS_MAX) {
        throw new Error(
          `${WAITING_COMMITS_MAX} transactions of this actor wait already, which is the limit; put what belongs together into one`,
        );
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#isBusy = true;
    try {
      if (!this.#isKnown) {
        await this.learn();
      }
    } catch (error) {
      this.end();
      throw error;
    }
  }

  end(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#isBusy = false;
      this.#quiet?.resolve();
      this.#quiet = undefined;
    } else {
      next();
    }
  }

  /**
   * Undefined when no commit is under way, otherwise resolves then. What is read before may miss a commit of this very
   * activation, by a turn whose caller has gone, and the fence would not tell.
   */
  get quiet(): Promise<void> | undefined {
    if (!this.#isBusy) {
      return undefined;
    }
    this.#quiet ??= Promise.withResolvers();
    return this.#quiet.promise;
  }

  /**
   * All operations or none, between `begin` and `end`. Where it is open whether the store has written, the row tells:
   * nothing but this commit can have put there what it puts.
   * @throws FenceBrokenError; UncertainWriteError where the row does not tell; the store's error where nothing was written
   */
  async commit(operations: readonly StateOperation[]): Promise<void> {
    this.#commits += 1;
    const next = Buffer.from(`"${this.#activation}-${this.#commits}"`);
    if (!(await this.#isWritten(operations, { key: this.#key, expected: this.#expected, next }))) {
      throw new FenceBrokenError("the fence has moved");
    }
    this.#expected = next;
  }

  async #isWritten(operations: readonly StateOperation[], fence: StateFence): Promise<boolean> {
    try {
      return await this.store.write(operations, fence, this.#actor);
    } catch (error) {
      if (!(error instanceof UncertainWriteError)) {
        throw error;
      }
      if (await this.#holds(fence.next, error)) {
        return true;
      }
      throw error.cause instanceof Error ? error.cause : error;
    }
  }

  async #learn(): Promise<void> {
    try {
      const before = this.#before;
      for (let quiet = before?.quiet; quiet !== undefined; quiet = before?.quiet) {
        await quiet;
      }
      const row = await this.store.read(this.#key, this.#actor);
      if (before?.isKnown === true && row !== undefined && !isSame(row, before.#expected)) {
        throw new FenceBrokenError("the fence is another one in the new store");
      }
      this.#before = undefined;
      this.#expected = row;
      this.#isKnown = true;
    } finally {
      this.#learning = undefined;
    }
  }

  /**
   * False where nothing has been written; should it be after all, the next commit finds the fence moved.
   * @throws the error where the row is another one, or none that can be read: others may have seen and moved on what was
   * written
   */
  async #holds(next: Uint8Array, uncertain: UncertainWriteError): Promise<boolean> {
    let row: Uint8Array | undefined;
    try {
      row = await this.store.read(this.#key, this.#actor);
    } catch {
      throw uncertain;
    }
    if (!isSame(row, next) && !isSame(row, this.#expected)) {
      throw uncertain;
    }
    return isSame(row, next);
  }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0;
}
