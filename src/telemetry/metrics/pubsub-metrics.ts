import { type CallFamily, callFamily, CallSeries } from "./call-series.ts";
import type { SidecarLabels } from "./component-calls.ts";
import { pubsubMetrics } from "./component-call-names.ts";
import { type MetricFamily, type MetricRegistry, SERIES_PER_METRIC_MAX } from "./registry.ts";
import type { Counter } from "./series.ts";

/** What becomes of a message, as the labels name it. */
type ProcessStatus = "success" | "retry" | "drop";

/** Label `component` of bulk ingress: Dapr 1.18.3 writes this constant where it means the component's name. */
const BULK_INGRESS_COMPONENT = "pubsubName";

/** The bound series of one broker and topic. */
interface TopicSeries {
  /** By process status and, for drops the app asked for, status. */
  readonly ingress: Map<string, CallSeries>;
  readonly bulkIngressEvents: Map<ProcessStatus, Counter>;
  bulkIngress: CallSeries | undefined;
  egress: CallSeries | undefined;
  egressFailed: CallSeries | undefined;
  bulkEgress: CallSeries | undefined;
  bulkEgressFailed: CallSeries | undefined;
}

/**
 * Counts messages by broker and topic; it is what the pub/sub block's port `PubSubMetrics` asks for. Series are bound
 * once per broker and topic. Topics come from callers, so there is a limit on how many are told apart.
 */
export class PubSubCallMetrics {
  readonly #labels: SidecarLabels;
  readonly #ingress: CallFamily;
  readonly #bulkIngress: CallFamily;
  readonly #bulkIngressEvents: MetricFamily<Counter>;
  readonly #egress: CallFamily;
  readonly #bulkEgress: CallFamily;
  readonly #bulkEgressEvents: MetricFamily<Counter>;
  readonly #brokers = new Map<string, Map<string, TopicSeries>>();

  constructor(registry: MetricRegistry, labels: SidecarLabels) {
    const m = pubsubMetrics;
    this.#labels = labels;
    this.#ingress = callFamily(registry, m.ingressCount, m.ingressLatency);
    this.#bulkIngress = callFamily(registry, m.bulkIngressCount, m.bulkIngressLatency);
    this.#bulkIngressEvents = registry.counter(m.bulkIngressEventCount);
    this.#egress = callFamily(registry, m.egressCount, m.egressLatency);
    this.#bulkEgress = callFamily(registry, m.bulkEgressCount, m.bulkEgressLatency);
    this.#bulkEgressEvents = registry.counter(m.bulkEgressEventCount);
  }

  egress(pubsub: string, topic: string, success: boolean, elapsedMs: number): void {
    const series = this.#topic(pubsub, topic);
    const calls = success
      ? (series.egress ??= this.#bindEgress(this.#egress, pubsub, topic, "true"))
      : (series.egressFailed ??= this.#bindEgress(this.#egress, pubsub, topic, "false"));
    calls.record(elapsedMs);
  }

  bulkEgress(pubsub: string, topic: string, success: boolean, published: number, elapsedMs: number): void {
    const series = this.#topic(pubsub, topic);
    const calls = success
      ? (series.bulkEgress ??= this.#bindEgress(this.#bulkEgress, pubsub, topic, "true"))
      : (series.bulkEgressFailed ??= this.#bindEgress(this.#bulkEgress, pubsub, topic, "false"));
    calls.record(elapsedMs);
    if (published > 0) {
      const values = [this.#labels.appId, pubsub, this.#labels.namespace, "true", topic];
      this.#bulkEgressEvents.series(values).add(published);
    }
  }

  ingress(
    pubsub: string,
    topic: string,
    processStatus: ProcessStatus,
    status: "" | "success",
    elapsedMs: number,
  ): void {
    const { ingress } = this.#topic(pubsub, topic);
    const key = status === "" ? processStatus : INGRESS_WITH_STATUS[processStatus];
    let series = ingress.get(key);
    if (series === undefined) {
      const { appId, namespace } = this.#labels;
      const shown = status === "" ? processStatus : status;
      series = new CallSeries(this.#ingress, [appId, pubsub, namespace, processStatus, topic, shown]);
      ingress.set(key, series);
    }
    series.record(elapsedMs);
  }

  bulkIngress(
    pubsub: string,
    topic: string,
    counts: { readonly success: number; readonly retry: number; readonly drop: number },
    elapsedMs: number,
  ): void {
    const { appId, namespace } = this.#labels;
    const series = this.#topic(pubsub, topic);
    series.bulkIngress ??= new CallSeries(this.#bulkIngress, [appId, BULK_INGRESS_COMPONENT, namespace, "", topic]);
    series.bulkIngress.record(elapsedMs);
    for (const status of PROCESS_STATUSES) {
      const count = counts[status];
      if (count > 0) {
        let events = series.bulkIngressEvents.get(status);
        if (events === undefined) {
          events = this.#bulkIngressEvents.series([appId, BULK_INGRESS_COMPONENT, namespace, status, topic]);
          series.bulkIngressEvents.set(status, events);
        }
        events.add(count);
      }
    }
  }

  #bindEgress(family: CallFamily, pubsub: string, topic: string, success: "true" | "false"): CallSeries {
    return new CallSeries(family, [this.#labels.appId, pubsub, this.#labels.namespace, success, topic]);
  }

  /** Beyond the limit nothing is kept: the families themselves no longer tell those apart. */
  #topic(pubsub: string, topic: string): TopicSeries {
    let topics = this.#brokers.get(pubsub);
    if (topics === undefined) {
      topics = new Map();
      this.#brokers.set(pubsub, topics);
    }
    const known = topics.get(topic);
    if (known !== undefined) {
      return known;
    }
    const created: TopicSeries = {
      ingress: new Map(),
      bulkIngressEvents: new Map(),
      bulkIngress: undefined,
      egress: undefined,
      egressFailed: undefined,
      bulkEgress: undefined,
      bulkEgressFailed: undefined,
    };
    if (topics.size < SERIES_PER_METRIC_MAX) {
      topics.set(topic, created);
    }
    return created;
  }
}

const PROCESS_STATUSES: readonly ProcessStatus[] = ["success", "retry", "drop"];
const INGRESS_WITH_STATUS: Readonly<Record<ProcessStatus, string>> = {
  success: "success success",
  retry: "retry success",
  drop: "drop success",
};
