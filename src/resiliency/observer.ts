import type { FlowDirection } from "./types.ts";

/** The kinds of policy as label `policy` of the metrics names them. */
export type PolicyKind = "timeout" | "retry" | "circuitbreaker";

/** States of a circuit breaker as label `status` names them. */
export type BreakerState = "closed" | "half-open" | "open";

/** Told what policies do to the calls of one target; `state` is undefined for timeouts and retries. */
export interface TargetObserver {
  /** A call was run under the policy. */
  executed(policy: PolicyKind, state?: BreakerState): void;
  /** The policy made a difference: a timeout ran out, a call is repeated, a breaker has a new state. */
  activated(policy: PolicyKind, state?: BreakerState): void;
}

/** Told what resources are loaded, and asked for an observer of each target that has a policy. */
export interface ResiliencyObserver {
  loaded(name: string, namespace: string): void;
  /**
   * @param name the resource that was read last, and `namespace` its own: all policies count under it, as in Dapr
   * @param target `app_<id>` or `<Type>_<component>`
   */
  target(name: string, namespace: string, direction: FlowDirection, target: string): TargetObserver;
}
