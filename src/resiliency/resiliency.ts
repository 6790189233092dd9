import { CompiledActorPolicies } from "./actor-policies.ts";
import { CircuitBreaker, type BreakerRule } from "./circuit-breaker.ts";
import { CompiledPolicy, type PolicyDeps, type RetryRule } from "./compiled-policy.ts";
import type { PolicyNames, ResiliencyDocument } from "./document.ts";
import { componentNames, defaultNames } from "./effective-names.ts";
import type { ResiliencyObserver, TargetObserver } from "./observer.ts";
import {
  ACTOR_BREAKERS_MAX,
  type ActorTarget,
  type AppTarget,
  type PolicyTable,
  readPolicies,
} from "./policy-table.ts";
import { RecentlyUsed } from "./recently-used.ts";
import type {
  ActorPolicies,
  AppPolicy,
  BuiltInPolicyName,
  ComponentPolicyType,
  FlowDirection,
  Policy,
  Resiliency,
} from "./types.ts";

/** Apps without a target of their own whose policies, made of defaults, are kept. */
const DEFAULT_APPS_MAX = 1_000;
/** Endpoints of each of those whose breakers are kept. */
const DEFAULT_ENDPOINTS_MAX = 100;
/** Actor types without a target of their own whose policies, made of defaults, are kept. */
const DEFAULT_ACTOR_TYPES_MAX = 1_000;

export interface ResiliencyOptions extends PolicyDeps {
  readonly documents: readonly ResiliencyDocument[];
  readonly observer?: ResiliencyObserver | undefined;
}

/** Reads the resources, compiling what can be compiled. Resources that cannot be read are logged and left out. */
export async function createResiliency(options: ResiliencyOptions): Promise<Resiliency> {
  const table = await readPolicies(options.documents, options.logger, options.observer);
  return new CompiledResiliency(table, options, options.observer);
}

class CompiledResiliency implements Resiliency {
  readonly #table: PolicyTable;
  readonly #deps: PolicyDeps;
  readonly #observer: ResiliencyObserver | undefined;
  readonly #builtIns = new Map<BuiltInPolicyName, Policy>();
  /** By component name: both directions share one. */
  readonly #componentBreakers = new Map<string, CircuitBreaker>();
  readonly #targetedApps = new Map<string, AppPolicy | undefined>();
  readonly #defaultApps = new RecentlyUsed<AppPolicy>(DEFAULT_APPS_MAX);
  readonly #appDefaults: AppTarget | undefined;
  readonly #targetedActors = new Map<string, ActorPolicies | undefined>();
  readonly #defaultActors = new RecentlyUsed<ActorPolicies>(DEFAULT_ACTOR_TYPES_MAX);
  readonly #actorDefaults: ActorTarget | undefined;

  constructor(table: PolicyTable, deps: PolicyDeps, observer: ResiliencyObserver | undefined) {
    this.#table = table;
    this.#deps = deps;
    this.#observer = observer;
    const names = defaultNames(table, ["App"]);
    this.#appDefaults = this.#hasEffect(names) ? { names, endpointsMax: DEFAULT_ENDPOINTS_MAX } : undefined;
    for (const [name, target] of table.apps) {
      this.#targetedApps.set(name, this.#hasEffect(target.names) ? this.#appPolicy(name, target) : undefined);
    }
    const actorNames = defaultNames(table, ["Actor"]);
    this.#actorDefaults = this.#hasEffect(actorNames)
      ? { names: actorNames, sharesBreaker: true, breakersMax: ACTOR_BREAKERS_MAX }
      : undefined;
    for (const [type, target] of table.actors) {
      this.#targetedActors.set(type, this.#hasEffect(target.names) ? this.#actorPolicies(type, target) : undefined);
    }
  }

  app(target: string): AppPolicy | undefined {
    if (this.#targetedApps.has(target)) {
      return this.#targetedApps.get(target);
    }
    const defaults = this.#appDefaults;
    if (defaults === undefined) {
      return undefined;
    }
    const known = this.#defaultApps.get(target);
    if (known !== undefined) {
      return known;
    }
    const created = this.#appPolicy(target, defaults);
    this.#defaultApps.set(target, created);
    return created;
  }

  component(name: string, type: ComponentPolicyType, direction: FlowDirection): Policy | undefined {
    const { names } = componentNames(this.#table, name, type, direction);
    if (!this.#hasEffect(names)) {
      return undefined;
    }
    const rule = this.#breakerRule(names);
    return new CompiledPolicy(
      {
        name: `component[${name}] ${direction === "outbound" ? "output" : "input"}`,
        timeoutMs: this.#timeoutMs(names),
        retry: this.#retryRule(names),
        breaker: rule === undefined ? undefined : this.#componentBreaker(name, rule),
        observer: this.#observe(direction, `${type}_${name}`),
      },
      this.#deps,
    );
  }

  builtIn(name: BuiltInPolicyName): Policy {
    const known = this.#builtIns.get(name);
    if (known !== undefined) {
      return known;
    }
    const retry = this.#table.retries.get(name);
    const created = new CompiledPolicy(
      { name, timeoutMs: undefined, retry, breaker: undefined, observer: undefined },
      this.#deps,
    );
    this.#builtIns.set(name, created);
    return created;
  }

  hasAppPolicy(appId: string): boolean {
    return this.#targetedApps.has(appId);
  }

  actor(type: string): ActorPolicies | undefined {
    if (this.#targetedActors.has(type)) {
      return this.#targetedActors.get(type);
    }
    const defaults = this.#actorDefaults;
    if (defaults === undefined) {
      return undefined;
    }
    const known = this.#defaultActors.get(type);
    if (known !== undefined) {
      return known;
    }
    const created = this.#actorPolicies(type, defaults);
    this.#defaultActors.set(type, created);
    return created;
  }

  hasActorPolicy(type: string): boolean {
    return this.#targetedActors.has(type);
  }

  #actorPolicies(type: string, { names, sharesBreaker, breakersMax }: ActorTarget): ActorPolicies {
    const parts = {
      timeoutMs: this.#timeoutMs(names),
      retry: this.#retryRule(names),
      breaker: this.#breakerRule(names),
      sharesBreaker,
      breakersMax,
      observer: this.#observe("outbound", `actor_${type}`),
    };
    return new CompiledActorPolicies(type, parts, this.#deps);
  }

  #appPolicy(app: string, target: AppTarget): AppPolicy {
    const { names } = target;
    const parts = {
      timeoutMs: this.#timeoutMs(names),
      retry: this.#retryRule(names),
      observer: this.#observe("outbound", `app_${app}`),
    };
    const rule = this.#breakerRule(names);
    return new EndpointPolicies(target.endpointsMax, (method) => {
      const endpoint = `${app}:${method}`;
      const breaker = rule === undefined ? undefined : this.#breaker(endpoint, rule);
      return new CompiledPolicy({ ...parts, name: `endpoint[${app}, ${endpoint}]`, breaker }, this.#deps);
    });
  }

  #hasEffect(names: PolicyNames): boolean {
    return (
      this.#timeoutMs(names) !== undefined ||
      this.#retryRule(names) !== undefined ||
      this.#breakerRule(names) !== undefined
    );
  }

  #timeoutMs({ timeout }: PolicyNames): number | undefined {
    return timeout === undefined ? undefined : this.#table.timeouts.get(timeout);
  }

  #retryRule({ retry }: PolicyNames): RetryRule | undefined {
    return retry === undefined ? undefined : this.#table.retries.get(retry);
  }

  #breakerRule({ circuitBreaker }: PolicyNames): BreakerRule | undefined {
    return circuitBreaker === undefined ? undefined : this.#table.breakers.get(circuitBreaker);
  }

  #componentBreaker(component: string, rule: BreakerRule): CircuitBreaker {
    const known = this.#componentBreakers.get(component);
    if (known !== undefined) {
      return known;
    }
    const created = this.#breaker(`${rule.name}-${component}`, rule);
    this.#componentBreakers.set(component, created);
    return created;
  }

  #breaker(name: string, rule: BreakerRule): CircuitBreaker {
    return new CircuitBreaker(name, rule, this.#deps.clock, this.#deps.logger);
  }

  #observe(direction: FlowDirection, target: string): TargetObserver | undefined {
    return this.#observer?.target(this.#table.name, this.#table.namespace, direction, target);
  }
}

/** An app's policies by endpoint, for as many endpoints as were used last. */
class EndpointPolicies implements AppPolicy {
  readonly #policies: RecentlyUsed<Policy>;
  readonly #create: (method: string) => Policy;

  constructor(endpointsMax: number, create: (method: string) => Policy) {
    this.#policies = new RecentlyUsed(endpointsMax);
    this.#create = create;
  }

  endpoint(method: string): Policy {
    const known = this.#policies.get(method);
    if (known !== undefined) {
      return known;
    }
    const created = this.#create(method);
    this.#policies.set(method, created);
    return created;
  }
}
