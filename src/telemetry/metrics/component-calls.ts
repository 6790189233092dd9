import { type CallFamily, callFamily, CallSeries } from "./call-series.ts";
import type { MetricDefinition } from "./definition.ts";
import { componentCallMetrics } from "./component-call-names.ts";
import { type MetricRegistry, SERIES_PER_METRIC_MAX } from "./registry.ts";

/**
 * Counts the calls of one component. The block that owns the component binds it when the component is loaded (`of`)
 * and keeps it, so that a call costs no look-up by name.
 */
export interface ComponentCalls {
  /** A call that reached the component has ended. `operation` is a word of the block's own; empty where there is only one. */
  record(operation: string, success: boolean, elapsedMs: number): void;
}

/** Where a block gets what counts the calls of its components; it knows no metric names. */
export interface ComponentCallsSource {
  /** The same for the same name, also after the component was replaced. */
  of(component: string): ComponentCalls;
}

/** For blocks without metrics. */
export const NO_CALLS: ComponentCallsSource = { of: () => ({ record: () => undefined }) };

/** The sources of all types of components that Dapr counts calls of. Locks are not among them. */
export interface ComponentCallMetrics {
  readonly state: ComponentCallsSource;
  readonly secrets: ComponentCallsSource;
  readonly configuration: ComponentCallsSource;
  readonly crypto: ComponentCallsSource;
  readonly conversation: ComponentCallsSource;
  readonly outputBindings: ComponentCallsSource;
  readonly inputBindings: ComponentCallsSource;
}

/** What each series of a sidecar has in common: `namespace` as the environment has it, empty when it has none. */
export interface SidecarLabels {
  readonly appId: string;
  readonly namespace: string;
}

export function createComponentCallMetrics(registry: MetricRegistry, labels: SidecarLabels): ComponentCallMetrics {
  const m = componentCallMetrics;
  return {
    state: new CallFamilies(registry, labels, m.stateCount, m.stateLatency),
    secrets: new CallFamilies(registry, labels, m.secretCount, m.secretLatency),
    configuration: new CallFamilies(registry, labels, m.configurationCount, m.configurationLatency),
    crypto: new CallFamilies(registry, labels, m.cryptoCount, m.cryptoLatency),
    conversation: new CallFamilies(registry, labels, m.conversationCount, m.conversationLatency),
    outputBindings: new CallFamilies(registry, labels, m.outputBindingCount, m.outputBindingLatency),
    inputBindings: new CallFamilies(registry, labels, m.inputBindingCount, m.inputBindingLatency),
  };
}

/** Operations of one component whose series are kept at hand: callers of output bindings name them freely. */
const OPERATIONS_PER_COMPONENT_MAX = 100;

class CallFamilies implements ComponentCallsSource {
  readonly #labels: SidecarLabels;
  readonly #hasOperation: boolean;
  readonly #family: CallFamily;
  readonly #components = new Map<string, ComponentCalls>();

  constructor(
    registry: MetricRegistry,
    labels: SidecarLabels,
    count: MetricDefinition & { readonly kind: "counter" },
    latency: MetricDefinition & { readonly kind: "histogram" },
  ) {
    this.#labels = labels;
    this.#hasOperation = count.labels.includes("operation");
    this.#family = callFamily(registry, count, latency);
  }

  of(component: string): ComponentCalls {
    const known = this.#components.get(component);
    if (known !== undefined) {
      return known;
    }
    const calls = new CallsOfComponent((operation, success) => this.#bind(component, operation, success));
    if (this.#components.size < SERIES_PER_METRIC_MAX) {
      this.#components.set(component, calls);
    }
    return calls;
  }

  #bind(component: string, operation: string, success: boolean): CallSeries {
    const { appId, namespace } = this.#labels;
    const values = this.#hasOperation
      ? [appId, component, namespace, operation, String(success)]
      : [appId, component, namespace, String(success)];
    return new CallSeries(this.#family, values);
  }
}

type Bind = (operation: string, success: boolean) => CallSeries;

class CallsOfComponent implements ComponentCalls {
  readonly #bind: Bind;
  readonly #succeeded = new Map<string, CallSeries>();
  readonly #failed = new Map<string, CallSeries>();

  constructor(bind: Bind) {
    this.#bind = bind;
  }

  record(operation: string, success: boolean, elapsedMs: number): void {
    const bound = success ? this.#succeeded : this.#failed;
    let series = bound.get(operation);
    if (series === undefined) {
      series = this.#bind(operation, success);
      if (bound.size < OPERATIONS_PER_COMPONENT_MAX) {
        bound.set(operation, series);
      }
    }
    series.record(elapsedMs);
  }
}
