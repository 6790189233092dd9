import type { ActorHost } from "../../app/actor-host.ts";

/** How actors of one type behave. */
export interface ActorTypeSettings {
  readonly idleMs: number;
  readonly reentrancy: { readonly enabled: boolean; readonly stackDepthMax: number };
  /** Milliseconds; undefined: as for all types. */
  readonly drainMs: number | undefined;
}

/** What an app hosts, and how. */
export interface HostedActors {
  readonly types: ReadonlyMap<string, ActorTypeSettings>;
  readonly drainMs: number;
  /** False: calls under way are cut off at once when actors move. */
  readonly drainRebalanced: boolean;
  /** The app may remember actors from before this process: nobody has told it that they were deactivated. */
  readonly mayRemember?: boolean;
  readonly host: ActorHost;
}

/** How many actors of a type are active. */
export interface ActiveActorsCount {
  readonly type: string;
  readonly count: number;
}

/** Why: another activation has written, the placement lease is over, the store was exchanged, or did not say what it did. */
export type StateRefusal = "fence" | "lease" | "exchange" | "uncertain";

/** What metrics want to know about actors. */
export interface ActorObserver {
  /** Calls that wait for their turn. */
  pendingCalls(type: string, count: number): void;
  rebalanced(type: string): void;
  deactivated(type: string): void;
  deactivationFailed(type: string): void;
  timers(type: string, count: number): void;
  timerFired(type: string, success: boolean): void;
  reminderFired(type: string, success: boolean): void;
  statusReported(): void;
  /** No placement service took the report. */
  statusReportFailed(reason: string): void;
  /** A call has waited for a membership change. @param moved whether its actor was concerned by it */
  membershipWaited(type: string, moved: boolean): void;
  orderReceived(operation: string): void;
  /** A state transaction has ended its activation. */
  stateRefused(type: string, reason: StateRefusal): void;
}
