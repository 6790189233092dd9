import { type ActorRef, actorKey } from "../../app/actor-host.ts";
import type { Timer } from "../../kit/clock.ts";
import type { Claim } from "./ownership-gate.ts";
import { type Turn, TurnQueue } from "./turn-queue.ts";
import type { ActorTypeSettings } from "./types.ts";

/** The actor was deactivated while a call was on its way to it; the next attempt activates it anew, where it belongs. */
export class ActorClosedError extends Error {
  override readonly name = "ActorClosedError";

  constructor(ref: ActorRef) {
    super(`actor ${actorKey(ref)} is closed`);
  }
}

/** One activation of an actor. */
export class ActiveActor implements ActorRef {
  readonly type: string;
  readonly id: string;
  readonly turns: TurnQueue;
  /** When it counts as idle, on the monotonic clock; moved on by every call, while the timer is set again only when due. */
  idleAtMs = 0;
  idleTimer: Timer | undefined;
  isClosed = false;
  readonly #running = new Set<Claim>();

  constructor({ type, id }: ActorRef, { reentrancy }: ActorTypeSettings) {
    this.type = type;
    this.id = id;
    this.turns = new TurnQueue(actorKey({ type, id }), reentrancy.stackDepthMax);
  }

  /**
   * Runs some work as the actor's turn, or as part of the one of the same chain.
   * @throws ActorClosedError when the actor is deactivated before the turn begins; otherwise what the work throws
   */
  async run<T>(chain: string | undefined, claim: Claim, onWait: (change: 1 | -1) => void, work: () => Promise<T>) {
    const turn = await this.#enter(chain, claim, onWait);
    if (this.isClosed) {
      this.turns.leave(turn);
      throw new ActorClosedError(this);
    }
    this.#running.add(claim);
    try {
      return await work();
    } finally {
      this.#running.delete(claim);
      this.turns.leave(turn);
    }
  }

  /** Refuses those that wait, and cuts off those that run. */
  close(): void {
    this.isClosed = true;
    this.idleTimer?.cancel();
    const error = new ActorClosedError(this);
    this.turns.close(error);
    for (const claim of this.#running) {
      claim.abort(error);
    }
  }

  async #enter(chain: string | undefined, claim: Claim, onWait: (change: 1 | -1) => void): Promise<Turn> {
    const turn = this.turns.enter(chain, claim);
    if (!(turn instanceof Promise)) {
      return turn;
    }
    onWait(1);
    try {
      return await turn;
    } finally {
      onWait(-1);
    }
  }
}
