import { CircuitBreaker, type BreakerRule } from "./circuit-breaker.ts";
import { CompiledPolicy, type PolicyDeps, type RetryRule } from "./compiled-policy.ts";
import type { TargetObserver } from "./observer.ts";
import { RecentlyUsed } from "./recently-used.ts";
import type { ActorPolicies, Policy } from "./types.ts";

export interface ActorPolicyParts {
  readonly timeoutMs: number | undefined;
  readonly retry: RetryRule | undefined;
  readonly breaker: BreakerRule | undefined;
  /** One breaker for all actors of the type. */
  readonly sharesBreaker: boolean;
  /** Actors whose breakers are kept, those that were called last. */
  readonly breakersMax: number;
  readonly observer: TargetObserver | undefined;
}

/** The policies of one type, compiled once for each actor that has a breaker of its own. */
export class CompiledActorPolicies implements ActorPolicies {
  readonly postLock: Policy | undefined;
  readonly #type: string;
  readonly #parts: ActorPolicyParts;
  readonly #deps: PolicyDeps;
  readonly #byActor: RecentlyUsed<Policy>;
  readonly #shared: Policy | undefined;

  constructor(type: string, parts: ActorPolicyParts, deps: PolicyDeps) {
    const { timeoutMs, observer, retry, breaker } = parts;
    this.#type = type;
    this.#parts = parts;
    this.#deps = deps;
    this.#byActor = new RecentlyUsed(parts.breakersMax);
    const name = `actor[${type}]`;
    this.postLock =
      timeoutMs === undefined
        ? undefined
        : new CompiledPolicy({ name, timeoutMs, retry: undefined, breaker: undefined, observer }, deps);
    const isShared = breaker === undefined || parts.sharesBreaker;
    this.#shared = isShared && (retry !== undefined || breaker !== undefined) ? this.#compile(name, type) : undefined;
  }

  preLock(id: string): Policy | undefined {
    const { breaker, sharesBreaker } = this.#parts;
    if (breaker === undefined || sharesBreaker) {
      return this.#shared;
    }
    const known = this.#byActor.get(id);
    if (known !== undefined) {
      return known;
    }
    const created = this.#compile(`actor[${this.#type}, ${id}]`, `${this.#type}-${id}`);
    this.#byActor.set(id, created);
    return created;
  }

  #compile(name: string, breakerName: string): Policy {
    const { retry, breaker: rule, observer } = this.#parts;
    const { clock, logger } = this.#deps;
    const breaker = rule === undefined ? undefined : new CircuitBreaker(breakerName, rule, clock, logger);
    return new CompiledPolicy({ name, timeoutMs: undefined, retry, breaker, observer }, this.#deps);
  }
}
