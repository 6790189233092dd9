import type {
  ActorPolicies,
  AppPolicy,
  BuiltInPolicyName,
  ComponentPolicyType,
  FlowDirection,
  Policy,
  Resiliency,
} from "./types.ts";

/**
 * Policies that can be exchanged while they are used: calls under way end under theirs, later ones get the new ones.
 * Counters of circuit breakers begin anew.
 */
export class ChangingResiliency implements Resiliency {
  readonly #listeners: (() => void)[] = [];
  #current: Resiliency;

  constructor(first: Resiliency) {
    this.#current = first;
  }

  exchange(next: Resiliency): void {
    this.#current = next;
    for (const listener of this.#listeners) {
      listener();
    }
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  app(target: string): AppPolicy | undefined {
    return this.#current.app(target);
  }

  component(name: string, type: ComponentPolicyType, direction: FlowDirection): Policy | undefined {
    return this.#current.component(name, type, direction);
  }

  actor(type: string): ActorPolicies | undefined {
    return this.#current.actor(type);
  }

  hasActorPolicy(type: string): boolean {
    return this.#current.hasActorPolicy(type);
  }

  builtIn(name: BuiltInPolicyName): Policy {
    return this.#current.builtIn(name);
  }

  hasAppPolicy(appId: string): boolean {
    return this.#current.hasAppPolicy(appId);
  }
}
