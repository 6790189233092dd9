import type { ActorRef } from "../../app/actor-host.ts";
import { Cancellation, type CancelSignal } from "../../kit/cancel-signal.ts";
import type { Clock } from "../../kit/clock.ts";
import { formatGoDuration } from "../../kit/duration.ts";
import type { PlacementHost } from "../../mesh/placement-stream.ts";
import { DRAIN_MS_DEFAULT, LAST_ANSWERS_MS, OWNER_WAIT_MS_MAX, WAITING_CALLS_MAX } from "./limits.ts";
import type { PlacementMap } from "./placement-map.ts";

/** What a call is ended with whose actor moves, or may have moved. Unless its turn had begun it may be tried again. */
export class OwnershipLostError extends Error {
  override readonly name: string = "OwnershipLostError";
}

/** A call under way took longer than its drain. Dapr tries it again, though it may have been carried out. */
export class DrainedError extends OwnershipLostError {
  constructor() {
    super("placement table updated");
  }
}

/** Too much waits already; nothing is tried again. */
export class ActorLimitError extends Error {
  override readonly name = "ActorLimitError";
}

/** It was not known for too long who owns the actor; nothing is tried again. */
export class OwnerUnknownError extends Error {
  override readonly name = "OwnerUnknownError";
}

/**
 * The right to act for one actor as the tables say now. It is the signal of what is done with it: aborted with the caller's
 * reason, or with that of the change that took the actor, or its owner, away.
 */
export class Claim extends Cancellation {
  readonly type: string;
  readonly id: string;
  /** Undefined: nobody hosts the type. */
  readonly owner: PlacementHost | undefined;
  /** The actor's turn has begun, or it is not known whether it has. */
  begun = false;
  #actor: { readonly writes: number } | undefined;
  #writesBefore = 0;
  /** What the app does for it; aborting the claim ends our interest in it, not always the app's. */
  work: Promise<unknown> | undefined;
  /** The caller is gone while the app is at it. */
  isHungUp = false;
  /** Who works on it sees to its end when it is lost, or the caller is gone; undefined: it is aborted. */
  onCut: ((reason: Error, isLost: boolean) => void) | undefined;
  #isLost = false;
  readonly #source: CancelSignal | undefined;
  readonly #onAbort: (() => void) | undefined;
  #claims: Set<Claim> | undefined;
  #onRelease: (() => void) | undefined;

  constructor(
    { type, id }: ActorRef,
    owner: PlacementHost | undefined,
    source: CancelSignal | undefined,
    claims: Set<Claim>,
  ) {
    super();
    this.type = type;
    this.id = id;
    this.owner = owner;
    this.#source = source;
    this.#claims = claims;
    claims.add(this);
    if (source !== undefined) {
      this.#onAbort = () => this.#cut(source.reason, false);
      source.addEventListener("abort", this.#onAbort, { once: true });
    }
  }

  /** The actor's turn begins, in this sidecar. */
  beginTurn(actor: { readonly writes: number }): void {
    this.begun = true;
    this.#actor = actor;
    this.#writesBefore = actor.writes;
  }

  /** Something may have been committed for the actor since its turn began. */
  get hasWritten(): boolean {
    return this.#actor !== undefined && this.#actor.writes !== this.#writesBefore;
  }

  /** The actor is taken away; the first reason counts. */
  lose(reason: Error): void {
    if (!this.#isLost) {
      this.#isLost = true;
      this.#cut(reason, true);
    }
  }

  /** The work is over; nothing happens when it was before. */
  release(): void {
    if (this.#onAbort !== undefined) {
      this.#source?.removeEventListener("abort", this.#onAbort);
    }
    this.#claims?.delete(this);
    this.#claims = undefined;
    const onRelease = this.#onRelease;
    this.#onRelease = undefined;
    onRelease?.();
  }

  #cut(reason: Error, isLost: boolean): void {
    if (this.onCut === undefined) {
      this.abort(reason);
    } else {
      this.onCut(reason, isLost);
    }
  }

  /** Resolves with the end of the work: true in time, false when it took too long. */
  released(timeoutMs: number, clock: Clock): Promise<boolean> {
    if (this.#claims === undefined || timeoutMs <= 0) {
      return Promise.resolve(this.#claims === undefined);
    }
    return new Promise((resolve) => {
      const timer = clock.after(timeoutMs, () => resolve(false));
      const before = this.#onRelease;
      this.#onRelease = () => {
        before?.();
        timer.cancel();
        resolve(true);
      };
    });
  }
}

/** How long calls under way may take to end when their actors move. */
export interface DrainRule {
  /** False: they are cut off at once. */
  readonly enabled: boolean;
  timeoutMs(type: string): number;
  /** A call has taken too long. */
  onTimeout(type: string): void;
  /** A turn of this actor was cut off, and may be tried again: what the app still does for it must not be written. */
  deactivate(ref: ActorRef): void;
}

export interface OwnershipGateOptions {
  readonly ownAddress: string;
  readonly map: Pick<PlacementMap, "hasTables" | "ownersOf" | "ownerOf" | "moves">;
  /** Whether this sidecar may act for what the tables give it. */
  readonly lease: { holds(): boolean };
  /** A call has waited for a membership change. @param moved whether its actor was concerned by it */
  readonly onWaited?: ((type: string, moved: boolean) => void) | undefined;
  readonly clock: Clock;
}

interface Waiter {
  readonly ref: ActorRef;
  resume(): void;
  refuse(error: Error): void;
}

/**
 * Lets calls through while it is known who owns their actor. Nobody before the first tables; between tables and the moment
 * when all sidecars have them only calls of actors whose owner they do not change; calls of the own actors only while this
 * sidecar holds them. All others wait, for `OWNER_WAIT_MS_MAX` at most.
 */
export class OwnershipGate {
  readonly #options: OwnershipGateOptions;
  readonly #claims = new Set<Claim>();
  readonly #waiting = new Set<Waiter>();
  #isOpen = false;
  /** The own actors are this sidecar's: the tables that say so have been agreed on, and it has not given them up since. */
  #isOwner = false;
  #ended: Error | undefined;

  constructor(options: OwnershipGateOptions) {
    this.#options = options;
  }

  /** @throws ActorLimitError, or the signal's reason; the promise may also reject with OwnerUnknownError */
  claim(ref: ActorRef, signal: CancelSignal | undefined): Claim | Promise<Claim> {
    if (this.#ended !== undefined) {
      throw this.#ended;
    }
    return this.#tryGrant(ref, signal) ?? this.#wait(ref, signal);
  }

  /** Whether an actor of this sidecar may begin a turn. */
  get mayAct(): boolean {
    return this.#isOwner && this.#options.lease.holds();
  }

  /** There are tables; calls of actors that they do not change go on. */
  open(): void {
    this.#isOpen = true;
    this.#resume();
  }

  /** The tables are agreed on, and the map knows it. */
  agreed(): void {
    this.#isOwner = true;
    this.open();
  }

  /** A lease that was over is held again: it came late, and nothing was given up for it. */
  leased(): void {
    this.#resume();
  }

  /** There is no placement service any more that says what is true. */
  close(): void {
    this.#isOpen = false;
    this.#isOwner = false;
  }

  /** What was owned may have other owners now: what is under way for it is cut off, and new calls wait until tables are agreed on. */
  disown(): void {
    this.#isOwner = false;
    for (const claim of this.#own()) {
      claim.lose(new OwnershipLostError("this sidecar may no longer own the actor: its placement lease is over"));
    }
  }

  /** Nobody gets through any more, and those that wait are refused. */
  end(error: Error): void {
    this.#ended = error;
    for (const waiter of this.#waiting) {
      waiter.refuse(error);
    }
  }

  /**
   * Cuts off calls under way to other sidecars, a moment later: one that stops has answered all of them, and its answers
   * may come after the tables without it.
   * @param failure of an owner that is lost, undefined for one that is not
   */
  cutOff(failure: (owner: PlacementHost) => Error | undefined): void {
    const { ownAddress } = this.#options;
    for (const claim of this.#claims) {
      const { owner } = claim;
      const error = owner === undefined || owner.address === ownAddress ? undefined : failure(owner);
      if (error !== undefined) {
        void this.#cutOffLate(claim, error);
      }
    }
  }

  async #cutOffLate(claim: Claim, error: Error): Promise<void> {
    if (!(await claim.released(LAST_ANSWERS_MS, this.#options.clock))) {
      claim.abort(error);
    }
  }

  /**
   * Resolves when no claim of an own actor is left that moves (`all`: of any), cutting off those that take too long. Where
   * the hosts of a type change, Dapr also cuts off turns of actors that stay. These are not waited for, and have
   * `DRAIN_MS_DEFAULT` at least.
   */
  async drain(rule: DrainRule, all: boolean): Promise<void> {
    const { map } = this.#options;
    const waits: Promise<void>[] = [];
    for (const claim of this.#own()) {
      const timeoutMs = rule.enabled ? rule.timeoutMs(claim.type) : 0;
      if (all || map.moves(claim.type, claim.id)) {
        waits.push(this.#cutOffAfter(claim, timeoutMs, rule));
      } else if (claim.begun && map.ownersOf(claim.type)?.isChanging === true) {
        const stayMs = Math.max(timeoutMs, DRAIN_MS_DEFAULT);
        void this.#cutOffAfter(claim, stayMs, rule);
      }
    }
    await Promise.all(waits);
  }

  async #cutOffAfter(claim: Claim, timeoutMs: number, rule: DrainRule): Promise<void> {
    if (await claim.released(timeoutMs, this.#options.clock)) {
      return;
    }
    if (rule.enabled) {
      rule.onTimeout(claim.type);
    }
    claim.lose(new DrainedError());
    if (claim.begun) {
      rule.deactivate(claim);
    }
  }

  #own(): Claim[] {
    const { ownAddress } = this.#options;
    return [...this.#claims].filter(({ owner }) => owner?.address === ownAddress);
  }

  #tryGrant(ref: ActorRef, signal: CancelSignal | undefined): Claim | undefined {
    if (!this.#isOpen) {
      return undefined;
    }
    const { map, ownAddress } = this.#options;
    const owners = map.ownersOf(ref.type);
    if (owners?.isChanging === true && owners.moves(ref.id)) {
      return undefined;
    }
    const owner = owners?.ownerOf(ref.id);
    if (owner?.address === ownAddress && !this.mayAct) {
      return undefined;
    }
    return new Claim(ref, owner, signal, this.#claims);
  }

  #wait(ref: ActorRef, signal: CancelSignal | undefined): Promise<Claim> {
    if (this.#waiting.size >= WAITING_CALLS_MAX) {
      throw new ActorLimitError(
        `${WAITING_CALLS_MAX} calls wait already to know which sidecars own their actors, which is the limit; see whether the placement service can be reached`,
      );
    }
    const told = this.#waitsFor(ref);
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      const end = (): void => {
        this.#waiting.delete(waiter);
        timer.cancel();
        signal?.removeEventListener("abort", onAbort);
        told();
      };
      const waiter: Waiter = {
        ref,
        resume: () => {
          const claim = this.#tryGrant(ref, signal);
          if (claim !== undefined) {
            end();
            resolve(claim);
          }
        },
        refuse: (error) => {
          end();
          reject(error);
        },
      };
      const onAbort = (): void => waiter.refuse((signal as CancelSignal).reason);
      const timer = this.#options.clock.after(OWNER_WAIT_MS_MAX, () => waiter.refuse(unknownOwner(ref)));
      this.#waiting.add(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Waiting for the first tables is no membership change. @returns to be called when the wait is over */
  #waitsFor({ type, id }: ActorRef): () => void {
    const { map, ownAddress, onWaited } = this.#options;
    if (onWaited === undefined || !map.hasTables) {
      return () => undefined;
    }
    const before = map.ownerOf(type, id)?.address;
    const lost = before === ownAddress && !this.mayAct;
    const moves = map.moves(type, id);
    return () => onWaited(type, lost || moves || map.ownerOf(type, id)?.address !== before);
  }

  #resume(): void {
    for (const waiter of this.#waiting) {
      waiter.resume();
    }
  }
}

function unknownOwner({ type, id }: ActorRef): OwnerUnknownError {
  return new OwnerUnknownError(
    `the sidecars have not agreed on an owner of actor ${type}/${id} within ${formatGoDuration(OWNER_WAIT_MS_MAX)}; see whether the placement service can be reached`,
  );
}
