import { resiliencyMetrics } from "./names.ts";
import type { MetricFamily, MetricRegistry } from "./registry.ts";
import type { Counter, Gauge } from "./series.ts";

/** States of a circuit breaker, one series of the gauge each: 1 for the state it is in, 0 for the others. */
const BREAKER_STATES = ["closed", "half-open", "open", "unknown"] as const;

const CIRCUIT_BREAKER = "circuitbreaker";

/** Counts what resiliency policies do; fits the observer port of the resiliency room. */
export class ResiliencyMetrics {
  readonly #appId: string;
  readonly #loaded: MetricFamily<Counter>;
  readonly #executions: MetricFamily<Counter>;
  readonly #activations: MetricFamily<Counter>;
  readonly #breakerStates: MetricFamily<Gauge>;

  constructor(registry: MetricRegistry, appId: string) {
    this.#appId = appId;
    this.#loaded = registry.counter(resiliencyMetrics.loaded);
    this.#executions = registry.counter(resiliencyMetrics.executions);
    this.#activations = registry.counter(resiliencyMetrics.activations);
    this.#breakerStates = registry.gauge(resiliencyMetrics.breakerState);
  }

  loaded(name: string, namespace: string): void {
    this.#loaded.series([this.#appId, name, namespace]).increment();
  }

  /** @param direction and `target` as the labels `flow_direction` and `target` have them */
  target(name: string, namespace: string, direction: string, target: string): TargetMetrics {
    const labels = (policy: string, status: string): readonly string[] => [
      this.#appId,
      name,
      policy,
      namespace,
      direction,
      target,
      status,
    ];
    return new TargetMetrics(this.#executions, this.#activations, this.#breakerStates, labels);
  }
}

/** The series of one target, bound when they are first needed. */
class TargetMetrics {
  readonly #executions: BoundCounters;
  readonly #activations: BoundCounters;
  readonly #labels: (policy: string, status: string) => readonly string[];
  readonly #gauges: MetricFamily<Gauge>;
  #states: readonly Gauge[] | undefined;

  constructor(
    executions: MetricFamily<Counter>,
    activations: MetricFamily<Counter>,
    gauges: MetricFamily<Gauge>,
    labels: (policy: string, status: string) => readonly string[],
  ) {
    this.#executions = new BoundCounters(executions, labels);
    this.#activations = new BoundCounters(activations, labels);
    this.#gauges = gauges;
    this.#labels = labels;
  }

  executed(policy: string, state = ""): void {
    this.#executions.of(policy, state).increment();
    if (policy === CIRCUIT_BREAKER) {
      this.#show(state);
    }
  }

  activated(policy: string, state = ""): void {
    this.#activations.of(policy, state).increment();
  }

  #show(state: string): void {
    this.#states ??= BREAKER_STATES.map((each) => this.#gauges.series(this.#labels(CIRCUIT_BREAKER, each)));
    for (let index = 0; index < BREAKER_STATES.length; index++) {
      this.#states[index]?.set(BREAKER_STATES[index] === state ? 1 : 0);
    }
  }
}

class BoundCounters {
  readonly #family: MetricFamily<Counter>;
  readonly #labels: (policy: string, status: string) => readonly string[];
  /** By policy and status: less than a dozen. */
  readonly #bound = new Map<string, Map<string, Counter>>();

  constructor(family: MetricFamily<Counter>, labels: (policy: string, status: string) => readonly string[]) {
    this.#family = family;
    this.#labels = labels;
  }

  of(policy: string, status: string): Counter {
    let ofPolicy = this.#bound.get(policy);
    if (ofPolicy === undefined) {
      ofPolicy = new Map();
      this.#bound.set(policy, ofPolicy);
    }
    let counter = ofPolicy.get(status);
    if (counter === undefined) {
      counter = this.#family.series(this.#labels(policy, status));
      ofPolicy.set(status, counter);
    }
    return counter;
  }
}
