import { p99By, quantiles, rateBy, type Row, sumBy } from "./grafana-dashboard.ts";

const APP = '{app_id=~"$app"}';
const and = (more: string): string => `{app_id=~"$app", ${more}}`;

const COMPONENTS: Row = {
  title: "State, bindings and other components",
  panels: [
    {
      title: "State operations",
      unit: "ops",
      description: "By store and operation.",
      queries: rateBy("dapr_component_state_count", ["component", "operation"], APP),
    },
    {
      title: "State operations that failed",
      unit: "ops",
      description: "ETag mismatches count as failures, too.",
      queries: rateBy("dapr_component_state_count", ["component", "operation"], and('success="false"')),
    },
    {
      title: "State latency, p99 by store",
      unit: "ms",
      description: "The store's own time.",
      queries: p99By("dapr_component_state_latencies", ["component"], APP),
    },
    {
      title: "Bindings by success",
      unit: "ops",
      description: "Output: calls of the component. Input: events given to the app.",
      queries: [
        ...rateBy("dapr_component_output_binding_count", ["component", "success"], APP),
        ...rateBy("dapr_component_input_binding_count", ["component", "success"], APP),
      ],
    },
    {
      title: "Secrets, configuration, cryptography, conversations that failed",
      unit: "ops",
      description: "By component.",
      queries: ["secret", "configuration", "crypto", "conversation"].flatMap((kind) =>
        rateBy(`dapr_component_${kind}_count`, ["component"], and('success="false"')),
      ),
    },
    {
      title: "Components that did not come up",
      unit: "short",
      description: "Since the start of the process; the log has the reason.",
      queries: sumBy("dapr_runtime_component_init_fail_total", ["app_id", "componentName", "reason"], APP),
    },
  ],
};

const PUBSUB: Row = {
  title: "Publish and subscribe",
  panels: [
    {
      title: "Published, by topic and success",
      unit: "ops",
      description: "What the app published.",
      queries: rateBy("dapr_component_pubsub_egress_count", ["component", "topic", "success"], APP),
    },
    {
      title: "Delivered, by outcome",
      unit: "ops",
      description: "retry comes again; drop is gone, or in the dead letter topic.",
      queries: rateBy("dapr_component_pubsub_ingress_count", ["component", "topic", "process_status"], APP),
    },
    {
      title: "Handling by the app, p99 by topic",
      unit: "ms",
      description: "From handing a message to the app to its answer.",
      queries: p99By("dapr_component_pubsub_ingress_latencies", ["topic"], APP),
    },
    {
      title: "Bulk messages delivered, by outcome",
      unit: "ops",
      description: "Messages, not bulks.",
      queries: rateBy("dapr_component_pubsub_ingress_bulk_event_count", ["topic", "process_status"], APP),
    },
    {
      title: "Publishing, p99 by broker",
      unit: "ms",
      description: "The broker's own time.",
      queries: p99By("dapr_component_pubsub_egress_latencies", ["component"], APP),
    },
  ],
};

const ACTORS: Row = {
  title: "Actors and jobs",
  panels: [
    {
      title: "Calls waiting for their actor's turn",
      unit: "short",
      description: "Grows where one actor is called faster than it answers.",
      queries: sumBy("dapr_runtime_actor_pending_actor_calls", ["actor_type"], APP),
    },
    {
      title: "Timers and reminders fired",
      unit: "ops",
      description: "success=false where the app did not take it.",
      queries: [
        ...rateBy("dapr_runtime_actor_timers_fired_total", ["actor_type", "success"], APP),
        ...rateBy("dapr_runtime_actor_reminders_fired_total", ["actor_type", "success"], APP),
      ],
    },
    {
      title: "Membership: calls that waited, actors that moved",
      unit: "ops",
      description: "Both are zero while nobody joins or leaves.",
      queries: [
        ...rateBy("outrigger_actor_membership_waits_total", ["actor_type", "moved"], APP),
        ...rateBy("dapr_runtime_actor_rebalanced_total", ["actor_type"], APP),
      ],
    },
    {
      title: "State transactions refused, status reports failed",
      unit: "ops",
      description: "A refused transaction ended its activation: somebody else owns the actor, or the lease was over.",
      queries: [
        ...rateBy("outrigger_actor_state_refusals_total", ["actor_type", "reason"], APP),
        ...rateBy("dapr_runtime_actor_status_report_fail_total", ["app_id", "reason"], APP),
      ],
    },
    {
      title: "Job triggers",
      unit: "ops",
      description: "Triggers that the app has answered.",
      queries: [
        { expr: `sum(rate(dapr_component_job_success_count${APP}[$__rate_interval]))`, legend: "success" },
        { expr: `sum(rate(dapr_component_job_failure_count${APP}[$__rate_interval]))`, legend: "failure" },
      ],
    },
    {
      title: "Job latency of the app",
      unit: "ms",
      description: "From the trigger to the app's answer.",
      queries: quantiles("dapr_component_job_latencies", APP),
    },
  ],
};

/** Components, topics, actors and jobs, for the dashboard of sidecars. */
export const BUILDING_BLOCKS: readonly Row[] = [COMPONENTS, PUBSUB, ACTORS];
