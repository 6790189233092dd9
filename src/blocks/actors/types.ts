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
  readonly host: ActorHost;
}

/** How many actors of a type are active. */
export interface ActiveActorsCount {
  readonly type: string;
  readonly count: number;
}

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
  orderReceived(operation: string): void;
}
