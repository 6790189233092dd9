import { type ActorRef, actorKey } from "../../app/actor-host.ts";
import type { Timer } from "../../kit/clock.ts";
import type { ActorFence } from "./actor-fence.ts";
import { CutOffTurns } from "./cut-off-turns.ts";
import { type Claim, OwnershipLostError } from "./ownership-gate.ts";
import { type Turn, TurnQueue } from "./turn-queue.ts";
import type { ActorTypeSettings } from "./types.ts";

/** The actor was deactivated while a call was on its way to it; the next attempt activates it anew, where it belongs. */
export class ActorClosedError extends Error {
  override readonly name = "ActorClosedError";

  constructor(ref: ActorRef) {
    super(`actor ${actorKey(ref)} is closed`);
  }
}

/** Something that calls of an actor wait for. */
export interface Wait {
  readonly over: Promise<void>;
  waiting: number;
}

/** Where an actor is active. */
export interface ActorHome {
  /** Whether the app answers within the time that calls have whose callers are gone. */
  endsSoon(work: Promise<unknown>): Promise<boolean>;
  /** Deactivates it, as one whose calls are cut off. */
  retire(actor: ActiveActor): void;
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
  /** No turn begins before, and nothing may be written; undefined when it is over. Rejects when there will be none. */
  arrival: Wait | undefined;
  /** Transactions that were sent to the store. */
  writes = 0;
  /** Made by the first access to state. */
  fence: ActorFence | undefined;
  #failure: { readonly error: Error; readonly end: () => void } | undefined;
  /** Of the turn under way: nearly always one, and none of an idle actor, which should be small. */
  #claim: Claim | undefined;
  #moreClaims: Set<Claim> | undefined;
  #cutOff: CutOffTurns | undefined;
  readonly #home: ActorHome;

  constructor({ type, id }: ActorRef, { reentrancy }: ActorTypeSettings, home: ActorHome) {
    this.#home = home;
    this.type = type;
    this.id = id;
    this.turns = new TurnQueue(this, reentrancy.stackDepthMax);
  }

  /**
   * Runs some work as the actor's turn, or as part of the one of the same chain.
   * @throws ActorClosedError when the actor is deactivated before the turn begins; what the activation fails with before
   * the turn ends, whatever the work says; the reason for which the claim was lost; otherwise what the work throws
   */
  async run<T>(chain: string | undefined, claim: Claim, onWait: (change: 1 | -1) => void, work: () => Promise<T>) {
    const entered = this.turns.enter(chain, claim);
    const turn = entered instanceof Promise ? await begun(entered, onWait) : entered;
    if (this.isClosed) {
      this.turns.leave(turn);
      throw new ActorClosedError(this);
    }
    this.#addClaim(claim);
    try {
      this.checkSound();
      const result = await this.#answer(claim, work);
      this.checkSound();
      return result;
    } catch (error) {
      this.checkSound();
      throw error;
    } finally {
      if (claim.isHungUp && !this.isClosed) {
        void this.#endLate(claim, turn);
      } else {
        this.#end(claim, turn);
      }
    }
  }

  /** @throws what this activation has failed with */
  checkSound(): void {
    if (this.#failure !== undefined) {
      throw this.#failure.error;
    }
  }

  /** The turn under way fails with this, whatever the app makes of it. @param end deactivates the actor; called when it is over */
  fail(error: Error, end: () => void): void {
    this.#failure ??= { error, end };
    this.#endFailed();
  }

  /** What the app has not answered though it was cut off; undefined: nothing. */
  get cutOff(): CutOffTurns | undefined {
    return this.#cutOff;
  }

  /** Refuses those that wait, and cuts off those that run. */
  close(): void {
    this.isClosed = true;
    this.idleTimer?.cancel();
    this.turns.close(new ActorClosedError(this));
    for (const claim of [this.#claim, ...(this.#moreClaims ?? [])]) {
      claim?.lose(new OwnershipLostError(`actor ${actorKey(this)} was deactivated during the call`));
    }
  }

  #answer<T>(claim: Claim, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const working = work();
      working.then(resolve, reject);
      claim.onCut = (reason, isLost) => {
        if (isLost) {
          claim.onCut = undefined;
          this.#cutOff ??= new CutOffTurns();
          this.#cutOff.add(claim, reason, claim.work ?? working);
        } else {
          claim.isHungUp = true;
        }
        reject(reason);
      };
    });
  }

  /** The caller is gone; the turn is over when the app has answered. An app that does not loses the actor for a while. */
  async #endLate(claim: Claim, turn: Turn): Promise<void> {
    if (claim.work !== undefined && !(await this.#home.endsSoon(claim.work))) {
      this.#home.retire(this);
    }
    this.#end(claim, turn);
  }

  #end(claim: Claim, turn: Turn): void {
    this.#removeClaim(claim);
    this.#endFailed();
    this.turns.leave(turn);
  }

  #endFailed(): void {
    if (this.#claim === undefined && this.#moreClaims === undefined && !this.isClosed) {
      this.#failure?.end();
    }
  }

  #addClaim(claim: Claim): void {
    if (this.#claim === undefined) {
      this.#claim = claim;
    } else {
      this.#moreClaims ??= new Set();
      this.#moreClaims.add(claim);
    }
  }

  #removeClaim(claim: Claim): void {
    if (this.#claim === claim) {
      this.#claim = undefined;
    } else if (this.#moreClaims?.delete(claim) === true && this.#moreClaims.size === 0) {
      this.#moreClaims = undefined;
    }
  }
}

/** A turn that must be waited for. */
async function begun(entered: Promise<Turn>, onWait: (change: 1 | -1) => void): Promise<Turn> {
  onWait(1);
  try {
    return await entered;
  } finally {
    onWait(-1);
  }
}
