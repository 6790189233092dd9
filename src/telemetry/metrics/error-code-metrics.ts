import type { ApiError, ErrorEntry } from "../../errors/error.ts";
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
    this.recordEntry(error.entry);
  }

  recordEntry(entry: ErrorEntry): void {
    this.#codes.series([this.#appId, entry.code, entry.category]).increment();
  }
}
