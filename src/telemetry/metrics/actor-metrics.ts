import { actorMetrics } from "./names.ts";
import type { MetricFamily, MetricRegistry } from "./registry.ts";
import type { Counter, Gauge } from "./series.ts";

/** Counts what happens to actors and between this sidecar and the placement service (`pkg/diagnostics/service_monitoring.go`). */
export class ActorMetrics {
  readonly #appId: string;
  readonly #reports: MetricFamily<Counter>;
  readonly #reportsFailed: MetricFamily<Counter>;
  readonly #orders: MetricFamily<Counter>;
  readonly #membershipWaits: MetricFamily<Counter>;
  readonly #stateRefusals: MetricFamily<Counter>;
  readonly #rebalanced: MetricFamily<Counter>;
  readonly #deactivated: MetricFamily<Counter>;
  readonly #deactivationsFailed: MetricFamily<Counter>;
  readonly #pendingCalls: MetricFamily<Gauge>;
  readonly #timers: MetricFamily<Gauge>;
  readonly #timersFired: MetricFamily<Counter>;
  readonly #remindersFired: MetricFamily<Counter>;

  constructor(registry: MetricRegistry, appId: string) {
    this.#appId = appId;
    this.#reports = registry.counter(actorMetrics.statusReports);
    this.#reportsFailed = registry.counter(actorMetrics.statusReportsFailed);
    this.#stateRefusals = registry.counter(actorMetrics.stateRefusals);
    this.#membershipWaits = registry.counter(actorMetrics.membershipWaits);
    this.#orders = registry.counter(actorMetrics.tableOperations);
    this.#rebalanced = registry.counter(actorMetrics.rebalanced);
    this.#deactivated = registry.counter(actorMetrics.deactivated);
    this.#deactivationsFailed = registry.counter(actorMetrics.deactivationsFailed);
    this.#pendingCalls = registry.gauge(actorMetrics.pendingCalls);
    this.#timers = registry.gauge(actorMetrics.timers);
    this.#timersFired = registry.counter(actorMetrics.timersFired);
    this.#remindersFired = registry.counter(actorMetrics.remindersFired);
  }

  pendingCalls(type: string, count: number): void {
    this.#pendingCalls.series([this.#appId, type]).set(count);
  }

  rebalanced(type: string): void {
    this.#rebalanced.series([this.#appId, type]).increment();
  }

  deactivated(type: string): void {
    this.#deactivated.series([this.#appId, type]).increment();
  }

  deactivationFailed(type: string): void {
    this.#deactivationsFailed.series([this.#appId, type]).increment();
  }

  timers(type: string, count: number): void {
    this.#timers.series([this.#appId, type]).set(count);
  }

  timerFired(type: string, success: boolean): void {
    this.#timersFired.series([this.#appId, type, String(success)]).increment();
  }

  reminderFired(type: string, success: boolean): void {
    this.#remindersFired.series([this.#appId, type, String(success)]).increment();
  }

  statusReported(): void {
    this.#reports.series([this.#appId, "", "send"]).increment();
  }

  statusReportFailed(reason: string): void {
    this.#reportsFailed.series([this.#appId, "", "send", reason]).increment();
  }

  stateRefused(type: string, reason: string): void {
    this.#stateRefusals.series([this.#appId, type, reason]).increment();
  }

  membershipWaited(type: string, moved: boolean): void {
    this.#membershipWaits.series([this.#appId, type, String(moved)]).increment();
  }

  orderReceived(operation: string): void {
    this.#orders.series([this.#appId, "", operation]).increment();
  }
}
