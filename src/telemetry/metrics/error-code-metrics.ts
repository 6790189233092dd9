import type { ApiError } from "../../errors/error.ts";
import { errorMetrics } from "./names.ts";
import type { MetricFamily, MetricRegistry } from "./registry.ts";
import type { Counter } from "./series.ts";

/** Counts errors that callers see, by code and category. Doors call it once for every error they render. */
export class ErrorCodeMetrics {
  readonly #appId: string;
  readonly #codes: MetricFamily<Counter>;

  constructor(registry: MetricRegistry, appId: string) {
    this.#appId = appId;
    this.#codes = registry.counter(errorMetrics.codes);
  }

  record(error: ApiError): void {
    this.#codes.series([this.#appId, error.entry.code, error.entry.category]).increment();
  }
}
