import { actorErrors } from "../../errors/catalogue/actors.ts";
import { apiError } from "../../errors/error.ts";
import type { CancelSignal } from "../../kit/cancel-signal.ts";
import { MAILBOX_LENGTH_MAX } from "./limits.ts";
import { ActorLimitError } from "./ownership-gate.ts";

/** One turn: the calls of one chain that are within the actor, or wait to be. */
export class Turn {
  /** Names the chain of calls; undefined: no other call can be part of it. */
  readonly chain: string | undefined;
  /** Calls within, and those that wait for the turn to begin. */
  depth = 0;
  readonly waiting = new Set<() => void>();

  constructor(chain: string | undefined) {
    this.chain = chain;
  }
}

/** Lets one turn at a time into an actor, in the order in which they came. A call of the same chain joins its turn. */
export class TurnQueue {
  readonly #key: string;
  readonly #depthMax: number;
  /** The first one runs. */
  readonly #turns: Turn[] = [];
  #closed: Error | undefined;
  readonly #onClose = new Set<(error: Error) => void>();

  constructor(key: string, depthMax: number) {
    this.#key = key;
    this.#depthMax = depthMax;
  }

  get isIdle(): boolean {
    return this.#turns.length === 0;
  }

  /**
   * Resolves when the turn has begun; `leave` must follow.
   * @throws ApiError ERR_ACTOR_STACK_DEPTH, ActorLimitError, the signal's reason, or what the queue was closed with
   */
  enter(chain: string | undefined, signal: CancelSignal): Turn | Promise<Turn> {
    if (this.#closed !== undefined) {
      throw this.#closed;
    }
    let turn = chain === undefined ? undefined : this.#turns.find((one) => one.chain === chain);
    if (turn === undefined) {
      if (this.#turns.length > MAILBOX_LENGTH_MAX) {
        throw new ActorLimitError(
          `${MAILBOX_LENGTH_MAX} calls wait already for the actor ${this.#key}, which is the limit; call it less often or spread the work over more actors`,
        );
      }
      turn = new Turn(chain);
      this.#turns.push(turn);
    } else if (turn.depth >= this.#depthMax) {
      throw apiError(actorErrors.stackDepth, {});
    }
    turn.depth += 1;
    return this.#turns[0] === turn ? turn : this.#wait(turn, signal);
  }

  leave(turn: Turn): void {
    turn.depth -= 1;
    if (turn.depth > 0) {
      return;
    }
    const index = this.#turns.indexOf(turn);
    this.#turns.splice(index, 1);
    if (index === 0) {
      for (const begin of this.#turns[0]?.waiting ?? []) {
        begin();
      }
    }
  }

  /** Nobody enters any more, and those that wait are refused. */
  close(error: Error): void {
    this.#closed ??= error;
    for (const refuse of this.#onClose) {
      refuse(error);
    }
  }

  #wait(turn: Turn, signal: CancelSignal): Promise<Turn> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        turn.waiting.delete(begin);
        this.#onClose.delete(refuse);
        signal.removeEventListener("abort", onAbort);
      };
      const begin = (): void => {
        end();
        resolve(turn);
      };
      const refuse = (error: Error): void => {
        end();
        this.leave(turn);
        reject(error);
      };
      const onAbort = (): void => refuse(signal.reason);
      turn.waiting.add(begin);
      this.#onClose.add(refuse);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }
}
