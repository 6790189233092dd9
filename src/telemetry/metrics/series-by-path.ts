import { SERIES_PER_METRIC_MAX } from "./registry.ts";

/** What finds the bound series of one call among those of its path. */
export interface BoundSeries {
  readonly method: string;
  readonly status: number;
}

/** Series that are bound once per path label, method and status, so that a call costs two look-ups; as many as a metric has. */
export class SeriesByPath<S extends BoundSeries> {
  readonly #bind: (path: string, method: string, status: number) => S;
  readonly #byPath = new Map<string, S[]>();
  #count = 0;

  constructor(bind: (path: string, method: string, status: number) => S) {
    this.#bind = bind;
  }

  of(path: string, method: string, status: number): S {
    const known = this.#byPath.get(path);
    if (known !== undefined) {
      for (const series of known) {
        if (series.status === status && series.method === method) {
          return series;
        }
      }
    }
    const bound = this.#bind(path, method, status);
    if (this.#count < SERIES_PER_METRIC_MAX) {
      this.#count++;
      if (known === undefined) {
        this.#byPath.set(path, [bound]);
      } else {
        known.push(bound);
      }
    }
    return bound;
  }
}
