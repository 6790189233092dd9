import type { Clock } from "../../kit/clock.ts";
import type { GuestThread } from "./guest-thread.ts";
import { WAIT_MS_MAX, WAITING_MAX } from "./limits.ts";

/** All instances are taken, and too many requests wait for one, or one has waited too long. */
export class NoInstanceError extends Error {
  override readonly name = "NoInstanceError";
}

/** Instances of one guest: as many as were needed at once so far, within a limit. */
export class GuestPool {
  readonly #create: () => Promise<GuestThread>;
  readonly #instancesMax: number;
  readonly #clock: Clock;
  readonly #idle: GuestThread[] = [];
  readonly #waiting: ((settle: () => Promise<GuestThread>) => void)[] = [];
  #instances = 0;
  #isClosed = false;

  constructor(create: () => Promise<GuestThread>, instancesMax: number, clock: Clock) {
    this.#create = create;
    this.#instancesMax = instancesMax;
    this.#clock = clock;
  }

  /** @throws NoInstanceError; what making an instance throws */
  async acquire(): Promise<GuestThread> {
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      return idle.isUsable ? idle : await this.#replace();
    }
    return this.#instances < this.#instancesMax ? await this.#add() : await this.#wait();
  }

  /** To be called once for each instance that was acquired. */
  release(thread: GuestThread): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting(async () => (thread.isUsable ? thread : await this.#replace()));
    } else if (thread.isUsable && !this.#isClosed) {
      this.#idle.push(thread);
    } else {
      this.#instances -= 1;
      void thread.close();
    }
  }

  /** Instances in use end when they are released. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const idle = this.#idle.splice(0);
    this.#instances -= idle.length;
    await Promise.all(idle.map((thread) => thread.close()));
  }

  async #add(): Promise<GuestThread> {
    this.#instances += 1;
    return await this.#replace();
  }

  /** A new instance in the place of one that is gone. */
  async #replace(): Promise<GuestThread> {
    try {
      return await this.#create();
    } catch (error) {
      this.#instances -= 1;
      throw error;
    }
  }

  async #wait(): Promise<GuestThread> {
    if (this.#waiting.length >= WAITING_MAX) {
      throw new NoInstanceError(`wasm: more than ${WAITING_MAX} requests wait for an instance of the guest`);
    }
    const turn = Promise.withResolvers<() => Promise<GuestThread>>();
    this.#waiting.push(turn.resolve);
    const timer = this.#clock.after(WAIT_MS_MAX, () => {
      const at = this.#waiting.indexOf(turn.resolve);
      if (at !== -1) {
        this.#waiting.splice(at, 1);
        turn.reject(
          new NoInstanceError(
            `wasm: all ${this.#instancesMax} instances of the guest were taken for ${WAIT_MS_MAX} ms`,
          ),
        );
      }
    });
    try {
      const settle = await turn.promise;
      return await settle();
    } finally {
      timer.cancel();
    }
  }
}
