import type { CancelSignal } from "../kit/cancel-signal.ts";

/** What a failed attempt answered with, for policies that match on codes; `none`: no code, which every policy repeats. */
export type FailureStatus =
  | { readonly kind: "http"; readonly code: number }
  | { readonly kind: "grpc"; readonly code: number }
  | { readonly kind: "none" };

/** How one call wants to be treated by its policy. */
export interface PolicyRun<T> {
  /** An answer that counts as a failure although nothing was thrown (an HTTP 503 of an app); undefined: it is a success. */
  readonly judge?: (result: T) => FailureStatus | undefined;
  /** What an error says about its status; undefined: no status, which every retry policy repeats. */
  readonly statusOf?: (error: unknown) => FailureStatus | undefined;
  /** True for errors that no attempt can mend: no retry. The circuit breaker counts them as any other failure, as in Dapr. */
  readonly isPermanent?: (error: unknown) => boolean;
  /** Frees an answer that nobody will get: judged bad and repeated, or come after its timeout. */
  readonly discard?: (result: T) => void;
  /** False: one attempt only, still timed and still counted by the circuit breaker (streaming bodies). */
  readonly repeatable?: boolean;
  /** The caller's own cancellation: ends waiting and attempts. */
  readonly signal?: CancelSignal | undefined;
}

/**
 * A timeout around each attempt, retries around that, a circuit breaker asked before each attempt (compatibility.md 5.11),
 * compiled once for one target. Where a target has no policy there is no `Policy` either, so that it costs nothing.
 */
export interface Policy {
  /** Whether `run` may call `attempt` more than once, so that a request's body must be there again. */
  readonly repeats: boolean;
  /**
   * Runs `attempt` until it succeeds, may not be repeated or the policy gives up.
   *
   * @param attempt gets the signal of this attempt (timeout and caller's cancellation) and its number from 1
   * @returns the first good answer, or the last one that `judge` found bad when no attempt is left
   * @throws the last attempt's error, PolicyError for a timeout or a breaker that lets nothing through, or the caller's
   * reason for cancelling
   */
  run<T>(attempt: (signal: CancelSignal, number: number) => Promise<T>, run?: PolicyRun<T>): Promise<T>;
}

/** Whether the app or the component is called (`outbound`), or calls the app (`inbound`). */
export type FlowDirection = "outbound" | "inbound";

/** All policies of one sidecar, looked up when a target becomes known, never per request where that can be helped. */
export interface Resiliency {
  /**
   * The user's policy for calls of an app, undefined when neither a target nor a default names one.
   *
   * @param target as the caller wrote it (`app`, `app.namespace`, an HTTPEndpoint's name or a URL): Dapr looks for exactly
   * that among the targets
   */
  app(target: string): AppPolicy | undefined;
  /** The user's policy for a component; `type` is its family as Dapr spells it in default names (`Statestore`, `Pubsub` …). */
  component(name: string, type: ComponentPolicyType, direction: FlowDirection): Policy | undefined;
  /** The user's policies for actors of a type, undefined when neither a target nor a default names one. */
  actor(type: string): ActorPolicies | undefined;
  /** Whether a target names the type, which switches the built-in retries off. Defaults do not, as in Dapr. */
  hasActorPolicy(type: string): boolean;
  /** A built-in policy, as it is or as the user has overridden it. */
  builtIn(name: BuiltInPolicyName): Policy;
  /** Whether a target names the app, which switches the built-in retries off. Defaults do not, as in Dapr. */
  hasAppPolicy(appId: string): boolean;
  /** Policies that were looked up before hold no longer; absent: they always do. */
  onChange?(listener: () => void): void;
}

/** The policy for one app. */
export interface AppPolicy {
  /** The policy with the breaker of this endpoint; breakers are kept for as many endpoints as `circuitBreakerCacheSize`. */
  endpoint(method: string): Policy;
}

/** The policies for actors of one type: retries and breaker around the wait for the actor's turn, the timeout within it. */
export interface ActorPolicies {
  /** Undefined: neither retries nor a breaker. Breakers are kept for as many actors as `circuitBreakerCacheSize`. */
  preLock(id: string): Policy | undefined;
  /** Undefined: no timeout. */
  readonly postLock: Policy | undefined;
}

/** The words of Dapr's default policy names: `Default<Type>Component<Direction>RetryPolicy`. */
export type ComponentPolicyType =
  | "Binding"
  | "Configuration"
  | "Lock"
  | "Pubsub"
  | "Crypto"
  | "Secretstore"
  | "Statestore"
  | "Conversation";

export type BuiltInPolicyName =
  | "DaprBuiltInServiceRetries"
  | "DaprBuiltInActorRetries"
  | "DaprBuiltInActorReminderRetries"
  | "DaprBuiltInActorNotFoundRetries"
  | "DaprBuiltInInitializationRetries";
