import type { SubscriptionConditions } from "../blocks/pubsub/subscription-conditions.ts";
import type { ComponentCondition, ReloadState } from "../inventory/types.ts";
import type { Clock } from "../kit/clock.ts";
import type { AppPlan, Child, ChildEnd, SidecarPortPlan } from "./types.ts";

/**
 * What a unit is doing. `preparing`: its sidecar comes up. `blocked`: a port is taken. `starting`, then `silent`: the app
 * runs and does not listen yet, `silent` once that was told. `pausing`: before another attempt. `needs-change`: the app
 * fails at its start, and only another source will help. `finished`: the app ended as it wanted to.
 */
export type UnitState =
  | "preparing"
  | "blocked"
  | "starting"
  | "silent"
  | "up"
  | "pausing"
  | "needs-change"
  | "finished"
  | "stopping"
  | "stopped";

export type SidecarPortName = keyof SidecarPortPlan;

/** What happens in a unit that somebody may want to hear of. */
export type UnitEvent =
  | { readonly kind: "state"; readonly state: UnitState }
  | {
      readonly kind: "port-taken";
      readonly port: number;
      readonly use: "app" | SidecarPortName;
      /** The process that has it, where the system tells. */
      readonly owner: string | undefined;
    }
  | { readonly kind: "port-free"; readonly port: number; readonly use: "app" | SidecarPortName }
  | { readonly kind: "sidecar-starting"; readonly ports: SidecarPortPlan }
  | { readonly kind: "sidecar-up"; readonly sidecar: UnitSidecar }
  | { readonly kind: "sidecar-stopped" }
  | { readonly kind: "sidecar-failed"; readonly reason: string; readonly retryMs: number | undefined }
  | { readonly kind: "sidecar-ended"; readonly reason: string; readonly retryMs: number | undefined }
  | { readonly kind: "app-started"; readonly pid: number; readonly sidecar: UnitSidecar }
  | { readonly kind: "app-silent"; readonly port: number; readonly waitedMs: number }
  | { readonly kind: "app-up" }
  | AppEndedEvent
  | { readonly kind: "restarting"; readonly what: "app" | "sidecar"; readonly paths: readonly string[] };

export interface AppEndedEvent {
  readonly kind: "app-ended";
  readonly end: ChildEnd;
  /** Somebody has stopped it. */
  readonly isAsked: boolean;
  /** It had listened, or lived long enough for an app without a port. */
  readonly cameUp: boolean;
  /** The last lines of its standard error, the oldest first. */
  readonly lastLines: readonly string[];
  /** What follows: another start after the pause, none before its source changes, or none at all. */
  readonly next: "restart" | "change" | "finished" | "end";
  readonly pauseMs: number;
}

/** One sidecar that has been asked to start, in this process or one of its own. */
export interface UnitSidecar {
  readonly ports: SidecarPortPlan;
  /** Undefined while there is no process of its own. */
  readonly pid: number | undefined;
  /** Resolves when its APIs are open. @throws Error with the reason, when it does not come up */
  readonly started: Promise<void>;
  /** Resolves once, with the reason, however it ends. */
  readonly ended: Promise<string>;
  /** The app is being started: resolves when the sidecar has found it and has subscribed for it; never rejects. */
  attend(): Promise<void>;
  /** The app has ended: nothing is delivered until the next `attend`. */
  appLeft(): Promise<void>;
  /** A value of `GET /v1.0/metadata`; failures are nobody's. */
  setMetadata(key: string, value: string): Promise<void>;
  conditions(): Promise<readonly ComponentCondition[]>;
  subscriptions(): Promise<SubscriptionConditions>;
  /**
   * Reads the resources again and changes what is not the same while it runs on. Undefined where it does not follow
   * changes: its Configuration switches that off, or it started without any folder. @throws Error when it does not answer
   */
  reload(): Promise<ReloadState | undefined>;
  /** Resolves when it has ended; drains no longer than the grace. */
  stop(graceMs: number): Promise<void>;
}

/** What a unit does to the world; tests hand in their own. */
export interface UnitWorld {
  readonly clock: Clock;
  /** Whether a sidecar goes on while its app is away. One that does not is started with every start of the app. */
  readonly sidecarOutlivesApp: boolean;
  startSidecar(ports: SidecarPortPlan): UnitSidecar;
  startApp(ports: SidecarPortPlan, onLine: (stream: "stdout" | "stderr", line: string) => void): Child;
  /** Whether something accepts connections where the app should. */
  appListens(): Promise<boolean>;
  isPortFree(use: "app" | SidecarPortName, port: number): Promise<boolean>;
  portOwner(port: number): Promise<string | undefined>;
  pickPort(): Promise<number>;
  tell(event: UnitEvent): void;
}

/** How a unit meets failures and ends. */
export interface UnitHabits {
  /** False: the unit ends with its app or its sidecar. True: it keeps both up until it is stopped. */
  readonly keepsUp: boolean;
  readonly appGraceMs: number;
  readonly sidecarGraceMs: number;
}

export type UnitPlan = Pick<AppPlan, "appId" | "command" | "appPort" | "ports">;

/** How a unit ended that does not keep up. */
export interface UnitOutcome {
  /** The app's end, when that ended the unit or came with it. */
  readonly app: ChildEnd | undefined;
  /** Why there is no sidecar, when that ended the unit. */
  readonly failure: string | undefined;
}
