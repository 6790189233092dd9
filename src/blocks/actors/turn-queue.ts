import { type ActorRef, actorKey } from "../../app/actor-host.ts";
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
  /** Those that wait; undefined: none. */
  waiting: Waiter[] | undefined = undefined;

  constructor(chain: string | undefined) {
    this.chain = chain;
  }
}

/** Lets one turn at a time into an actor, in the order in which they came. A call of the same chain joins its turn. */
export class TurnQueue {
  readonly #actor: ActorRef;
  readonly #depthMax: number;
  #running: Turn | undefined = undefined;
  /** Those after it; undefined: none, so that an idle actor holds nothing. */
  #next: Turn[] | undefined = undefined;
  #closed: Error | undefined = undefined;

  /** @param actor for texts */
  constructor(actor: ActorRef, depthMax: number) {
    this.#actor = actor;
    this.#depthMax = depthMax;
  }

  get isIdle(): boolean {
    return this.#running === undefined;
  }

  /**
   * Resolves when the turn has begun; `leave` must follow.
   * @throws ApiError ERR_ACTOR_STACK_DEPTH, ActorLimitError, the signal's reason, or what the queue was closed with
   */
  enter(chain: string | undefined, signal: CancelSignal): Turn | Promise<Turn> {
    if (this.#closed !== undefined) {
      throw this.#closed;
    }
    let turn = chain === undefined ? undefined : this.#turnOf(chain);
    if (turn === undefined) {
      turn = this.#append(new Turn(chain));
    } else if (turn.depth >= this.#depthMax) {
      throw apiError(actorErrors.stackDepth, {});
    }
    turn.depth += 1;
    return this.#running === turn ? turn : this.#wait(turn, signal);
  }

  leave(turn: Turn): void {
    turn.depth -= 1;
    if (turn.depth > 0) {
      return;
    }
    if (turn !== this.#running) {
      this.#removeWaiting(turn);
      return;
    }
    this.#running = this.#next?.shift();
    if (this.#next?.length === 0) {
      this.#next = undefined;
    }
    const beginning = this.#running?.waiting;
    if (this.#running !== undefined && beginning !== undefined) {
      this.#running.waiting = undefined;
      for (const waiter of beginning) {
        waiter.begin();
      }
    }
  }

  /** Nobody enters any more, and those that wait are refused. */
  close(error: Error): void {
    this.#closed ??= error;
    for (const waiter of this.#next?.flatMap(({ waiting }) => waiting ?? []) ?? []) {
      waiter.refuse(error);
    }
  }

  #turnOf(chain: string): Turn | undefined {
    return this.#running?.chain === chain ? this.#running : this.#next?.find((turn) => turn.chain === chain);
  }

  #append(turn: Turn): Turn {
    if (this.#running === undefined) {
      this.#running = turn;
      return turn;
    }
    this.#next ??= [];
    if (this.#next.length >= MAILBOX_LENGTH_MAX) {
      throw mailboxFull(actorKey(this.#actor));
    }
    this.#next.push(turn);
    return turn;
  }

  #removeWaiting(turn: Turn): void {
    const index = this.#next?.indexOf(turn) ?? -1;
    if (index !== -1) {
      this.#next?.splice(index, 1);
    }
    if (this.#next?.length === 0) {
      this.#next = undefined;
    }
  }

  #wait(turn: Turn, signal: CancelSignal): Promise<Turn> {
    return new Promise((resolve, reject) => {
      turn.waiting ??= [];
      turn.waiting.push(new Waiter(this, turn, signal, resolve, reject));
    });
  }
}

/** A call that waits for its turn to begin. */
class Waiter {
  readonly #queue: TurnQueue;
  readonly #turn: Turn;
  readonly #signal: CancelSignal;
  readonly #resolve: (turn: Turn) => void;
  readonly #reject: (error: Error) => void;
  readonly #onAbort = (): void => this.refuse(this.#signal.reason);

  constructor(
    queue: TurnQueue,
    turn: Turn,
    signal: CancelSignal,
    resolve: (turn: Turn) => void,
    reject: (error: Error) => void,
  ) {
    this.#queue = queue;
    this.#turn = turn;
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  begin(): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#resolve(this.#turn);
  }

  refuse(error: Error): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    const { waiting } = this.#turn;
    waiting?.splice(waiting.indexOf(this), 1);
    this.#queue.leave(this.#turn);
    this.#reject(error);
  }
}

export function mailboxFull(actor: string): ActorLimitError {
  return new ActorLimitError(
    `${MAILBOX_LENGTH_MAX} calls wait already for the actor ${actor}, which is the limit; call it less often or spread the work over more actors`,
  );
}
