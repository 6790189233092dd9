import type { MetricDefinition } from "./definition.ts";
import type { MetricRegistry } from "./registry.ts";
import type { Gauge } from "./series.ts";

/** `pkg/placement/monitoring`. */
export const placementMetrics = {
  runtimes: gauge("placement_runtimes_total", "The total number of runtimes reported to placement service.", [
    "host_namespace",
  ]),
  actorRuntimes: gauge(
    "placement_actor_runtimes_total",
    "The total number of actor runtimes reported to placement service.",
    ["host_namespace"],
  ),
  leader: gauge("placement_leader_status", "Placement server leadership status (1 for leader, 0 for not leader).", []),
  raftLeader: gauge(
    "placement_raft_leader_status",
    "Raft server leadership status (1 for leader, 0 for not leader).",
    [],
  ),
} as const;

/** What the placement service counts. */
export class PlacementMetrics {
  readonly #runtimes: { series(values: readonly string[]): Gauge };
  readonly #actorRuntimes: { series(values: readonly string[]): Gauge };
  readonly #leader: readonly Gauge[];

  constructor(registry: MetricRegistry) {
    this.#runtimes = registry.gauge(placementMetrics.runtimes);
    this.#actorRuntimes = registry.gauge(placementMetrics.actorRuntimes);
    this.#leader = [placementMetrics.leader, placementMetrics.raftLeader].map((definition) =>
      registry.gauge(definition).series([]),
    );
  }

  /** A namespace that is empty again stays at 0, as in Dapr. */
  recordRuntimes(namespace: string, runtimes: number, actorRuntimes: number): void {
    this.#runtimes.series([namespace]).set(runtimes);
    this.#actorRuntimes.series([namespace]).set(actorRuntimes);
  }

  recordLeader(leads: boolean): void {
    for (const gauge of this.#leader) {
      gauge.set(leads ? 1 : 0);
    }
  }
}

function gauge(name: string, help: string, labels: readonly string[]): MetricDefinition & { readonly kind: "gauge" } {
  return { name, help, kind: "gauge", labels };
}
