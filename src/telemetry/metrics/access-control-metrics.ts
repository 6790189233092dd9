import type { SpiffeId } from "../../kit/spiffe-id.ts";
import { accessControlMetrics } from "./names.ts";
import type { MetricFamily, MetricRegistry } from "./registry.ts";
import type { Counter } from "./series.ts";

type Outcome = keyof typeof accessControlMetrics;

const NOBODY: SpiffeId = { trustDomain: "", namespace: "", appId: "" };

/** Counts what access control has decided, by caller and by whose default counted. */
export class AccessControlMetrics {
  readonly #families: Readonly<Record<Outcome, MetricFamily<Counter>>>;
  /** Series by the identity of a connection, which is one object as long as the connection is there. */
  readonly #series = new WeakMap<SpiffeId, Partial<Record<Outcome, Counter>>>();

  constructor(registry: MetricRegistry) {
    this.#families = {
      appAllowed: registry.counter(accessControlMetrics.appAllowed),
      appBlocked: registry.counter(accessControlMetrics.appBlocked),
      globalAllowed: registry.counter(accessControlMetrics.globalAllowed),
      globalBlocked: registry.counter(accessControlMetrics.globalBlocked),
    };
  }

  /** @param caller undefined: it has no identity, and its labels are empty */
  decided(caller: SpiffeId | undefined, level: "app" | "global", allowed: boolean): void {
    const outcome: Outcome =
      level === "app" ? (allowed ? "appAllowed" : "appBlocked") : allowed ? "globalAllowed" : "globalBlocked";
    const labelled = caller ?? NOBODY;
    let known = this.#series.get(labelled);
    if (known === undefined) {
      known = {};
      this.#series.set(labelled, known);
    }
    const { appId, trustDomain, namespace } = labelled;
    (known[outcome] ??= this.#families[outcome].series([appId, trustDomain, namespace])).increment();
  }
}
