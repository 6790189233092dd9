import type { CutOffKind } from "../../net/h2/transport.ts";
import { ownMetrics } from "./names.ts";
import type { MetricFamily, MetricRegistry } from "./registry.ts";
import type { Counter } from "./series.ts";

/** Counts what becomes of connections. */
export class ConnectionMetrics {
  readonly #appId: string;
  readonly #cutOff: MetricFamily<Counter>;

  constructor(registry: MetricRegistry, appId: string) {
    this.#appId = appId;
    this.#cutOff = registry.counter(ownMetrics.connectionsCutOff);
  }

  cutOff(reason: CutOffKind): void {
    this.#cutOff.series([this.#appId, reason]).increment();
  }
}
