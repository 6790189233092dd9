import { Cancellation, type CancelSignal } from "../../kit/cancel-signal.ts";
import type { Clock } from "../../kit/clock.ts";
import { WAITING_CALLS_MAX } from "./limits.ts";

/** What a call is ended with whose actor moves, or may have moved. It may be tried again. */
export class OwnershipLostError extends Error {
  override readonly name = "OwnershipLostError";
}

/** Too much waits already; nothing is tried again. */
export class ActorLimitError extends Error {
  override readonly name = "ActorLimitError";
}

/**
 * The right to act for actors of one type as the tables say now. It is the signal of what is done with it: aborted with
 * the caller's reason, or with `OwnershipLostError`.
 */
export class Claim extends Cancellation {
  readonly #source: CancelSignal | undefined;
  readonly #onAbort: (() => void) | undefined;
  #release: (() => void) | undefined;

  constructor(source: CancelSignal | undefined, release: () => void) {
    super();
    this.#release = release;
    this.#source = source;
    if (source !== undefined) {
      this.#onAbort = () => this.abort(source.reason);
      source.addEventListener("abort", this.#onAbort, { once: true });
    }
  }

  /** The work is over; nothing happens when it was before. */
  release(): void {
    const release = this.#release;
    this.#release = undefined;
    if (this.#onAbort !== undefined) {
      this.#source?.removeEventListener("abort", this.#onAbort);
    }
    release?.();
  }
}

/** How long calls under way may take to end when their actors move. */
export interface DrainRule {
  /** False: they are cut off at once. */
  readonly enabled: boolean;
  timeoutMs(type: string): number;
}

interface Waiter {
  readonly resume: () => void;
  readonly refuse: (error: Error) => void;
}

/**
 * Lets calls through while it is known who owns their actor: nobody before the first tables, and nobody for a type
 * between the tables that change it and the moment when all sidecars have them. Other types are not held up.
 */
export class OwnershipGate {
  readonly #clock: Clock;
  readonly #blocked = new Set<string>();
  readonly #waiting = new Map<string, Set<Waiter>>();
  readonly #claims = new Map<string, Set<Claim>>();
  readonly #onEmpty = new Map<string, (() => void)[]>();
  #isOpen = false;
  #waitingCount = 0;
  #ended: Error | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws ActorLimitError, or the signal's reason */
  claim(type: string, signal: CancelSignal | undefined): Claim | Promise<Claim> {
    if (this.#ended !== undefined) {
      throw this.#ended;
    }
    return this.#isOpen && !this.#blocked.has(type) ? this.#grant(type, signal) : this.#wait(type, signal);
  }

  /** There are tables. */
  open(): void {
    this.#isOpen = true;
    for (const type of this.#waiting.keys()) {
      this.#resume(type);
    }
  }

  /** There is no placement service any more. */
  close(): void {
    this.#isOpen = false;
  }

  /** Nobody gets through any more, and those that wait are refused. */
  end(error: Error): void {
    this.#ended = error;
    for (const waiter of [...this.#waiting.values()].flatMap((waiters) => [...waiters])) {
      waiter.refuse(error);
    }
  }

  block(types: Iterable<string>): void {
    for (const type of types) {
      this.#blocked.add(type);
    }
  }

  unblock(types: Iterable<string>): void {
    for (const type of types) {
      this.#blocked.delete(type);
      this.#resume(type);
    }
  }

  /** Resolves when no claim of these types (undefined: of any) is left, cutting off those that take too long. */
  async drain(types: Iterable<string> | undefined, rule: DrainRule): Promise<readonly string[]> {
    const cutOff: string[] = [];
    const waits = [...(types ?? this.#claims.keys())].map(async (type) => {
      if (!(await this.#emptyWithin(type, rule.enabled ? rule.timeoutMs(type) : 0)) && rule.enabled) {
        cutOff.push(type);
      }
      for (const claim of this.#claims.get(type) ?? []) {
        claim.abort(new OwnershipLostError("placement table updated"));
      }
    });
    await Promise.all(waits);
    return cutOff;
  }

  #emptyWithin(type: string, timeoutMs: number): Promise<boolean> {
    if ((this.#claims.get(type)?.size ?? 0) === 0) {
      return Promise.resolve(true);
    }
    if (timeoutMs <= 0) {
      return Promise.resolve(false);
    }
    return new Promise((resolve) => {
      const timer = this.#clock.after(timeoutMs, () => resolve(false));
      const listeners = this.#onEmpty.get(type) ?? [];
      this.#onEmpty.set(type, listeners);
      listeners.push(() => {
        timer.cancel();
        resolve(true);
      });
    });
  }

  #grant(type: string, signal: CancelSignal | undefined): Claim {
    const claims = this.#claims.get(type) ?? new Set<Claim>();
    this.#claims.set(type, claims);
    const claim: Claim = new Claim(signal, () => {
      claims.delete(claim);
      if (claims.size === 0) {
        const listeners = this.#onEmpty.get(type) ?? [];
        this.#onEmpty.delete(type);
        for (const listener of listeners) {
          listener();
        }
      }
    });
    claims.add(claim);
    return claim;
  }

  #wait(type: string, signal: CancelSignal | undefined): Promise<Claim> {
    if (this.#waitingCount >= WAITING_CALLS_MAX) {
      throw new ActorLimitError(
        `${WAITING_CALLS_MAX} calls wait already to know which sidecars own their actors, which is the limit; see whether the placement service can be reached`,
      );
    }
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const waiters = this.#waiting.get(type) ?? new Set<Waiter>();
      this.#waiting.set(type, waiters);
      const refuse = (error: Error): void => {
        leave();
        reject(error);
      };
      const onAbort = (): void => {
        if (signal !== undefined) {
          refuse(signal.reason);
        }
      };
      const leave = (): void => {
        waiters.delete(waiter);
        this.#waitingCount -= 1;
        signal?.removeEventListener("abort", onAbort);
      };
      const waiter: Waiter = {
        resume: () => {
          leave();
          resolve(this.#grant(type, signal));
        },
        refuse,
      };
      waiters.add(waiter);
      this.#waitingCount += 1;
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  #resume(type: string): void {
    const waiters = this.#waiting.get(type);
    if (waiters === undefined || !this.#isOpen || this.#blocked.has(type)) {
      return;
    }
    this.#waiting.delete(type);
    for (const waiter of waiters) {
      waiter.resume();
    }
  }
}
