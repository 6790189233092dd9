import { type Dashboard, p99By, processRow, type Query, rateBy, type Row, sumBy } from "./grafana-dashboard.ts";

const JOB = '{job=~"$job"}';

const PLACEMENT: Row = {
  title: "Placement",
  panels: [
    {
      title: "Leaders",
      unit: "short",
      description: "One at any time: at 0 nobody learns where actors are, above 1 the members do not see each other.",
      stat: true,
      queries: [{ expr: `sum(dapr_placement_leader_status${JOB})`, legend: "leaders" }],
    },
    {
      title: "Sidecars, by namespace",
      unit: "short",
      description: "Connected to the leader.",
      queries: sumBy("dapr_placement_runtimes_total", ["host_namespace"], JOB),
    },
    {
      title: "Sidecars that host actors, by namespace",
      unit: "short",
      description: "Each time it changes, actors move.",
      queries: sumBy("dapr_placement_actor_runtimes_total", ["host_namespace"], JOB),
    },
  ],
};

const SCHEDULER: Row = {
  title: "Scheduler",
  panels: [
    {
      title: "Sidecars connected",
      unit: "short",
      description: "Only those are given triggers.",
      queries: sumBy("dapr_scheduler_sidecars_connected", ["instance"], JOB),
    },
    {
      title: "Triggers",
      unit: "ops",
      description: "Failed: the app answered so. Undelivered: nobody was connected to take it.",
      queries: ["triggered", "failed", "undelivered"].flatMap((what) =>
        rateBy(`dapr_scheduler_jobs_${what}_total`, ["type"], JOB).map(({ expr, legend }) => ({
          expr,
          legend: `${what} ${legend}`,
        })),
      ),
    },
    {
      title: "Trigger latency, p99",
      unit: "ms",
      description: "From sending a trigger to the answer to it.",
      queries: p99By("dapr_scheduler_trigger_latency", ["type"], JOB),
    },
    {
      title: "Oldest due trigger that waits",
      unit: "s",
      description: "Grows where something is stuck: the stage says where.",
      queries: [{ expr: `max by (stage) (outrigger_scheduler_oldest_due_seconds${JOB})`, legend: "{{stage}}" }],
    },
    {
      title: "Jobs created and deleted",
      unit: "ops",
      description: "Reminders of actors are jobs of type actor.",
      queries: ["created", "created_failed", "deleted"].flatMap((what) =>
        rateBy(`dapr_scheduler_jobs_${what}_total`, ["type"], JOB).map(({ expr, legend }) => ({
          expr,
          legend: `${what} ${legend}`,
        })),
      ),
    },
    {
      title: "Errors with sidecars, jobs that cannot be read",
      unit: "short",
      description: "Streams that broke or were refused, per second; stored jobs that are left alone.",
      queries: [
        ...rateBy("dapr_scheduler_sidecar_errors_total", ["reason"], JOB),
        { expr: `sum(outrigger_scheduler_malformed_jobs${JOB})`, legend: "malformed jobs" },
      ],
    },
    {
      title: "Concurrency limits: waiting and running",
      unit: "short",
      description: "Triggers held back by limits over the whole cluster.",
      queries: [
        ...named("pending", sumBy("dapr_scheduler_concurrency_pending", ["concurrency_key"], JOB)),
        ...named("running", sumBy("dapr_scheduler_concurrency_inflight", ["concurrency_key"], JOB)),
      ],
    },
    {
      title: "Throttled",
      unit: "ops",
      description: "Triggers that had to wait for a slot.",
      queries: rateBy("dapr_scheduler_concurrency_throttled_total", ["concurrency_key"], JOB),
    },
  ],
};

const SENTRY: Row = {
  title: "Sentry",
  panels: [
    {
      title: "Certificates asked for and signed",
      unit: "ops",
      description: "Each sidecar asks at its start and at about half of its certificate's life.",
      queries: [
        {
          expr: `sum(rate(dapr_sentry_cert_sign_request_received_total${JOB}[$__rate_interval]))`,
          legend: "asked for",
        },
        { expr: `sum(rate(dapr_sentry_cert_sign_success_total${JOB}[$__rate_interval]))`, legend: "signed" },
      ],
    },
    {
      title: "Refused, by reason",
      unit: "ops",
      description: "Identities that could not be proven, requests that cannot be read.",
      queries: [
        ...rateBy("dapr_sentry_cert_sign_failure_total", ["reason"], JOB),
        ...named("own certificate", rateBy("dapr_sentry_servercert_issue_failed_total", ["reason"], JOB)),
      ],
    },
    {
      title: "Issuer certificate ends in",
      unit: "s",
      description: "Replace it while there are days left: at 0 no identity can be issued any more.",
      stat: true,
      queries: [{ expr: `min(dapr_sentry_issuercert_expiry_timestamp${JOB}) - time()`, legend: "left" }],
    },
    {
      title: "Issuer certificate replaced",
      unit: "short",
      description: "In the last day.",
      queries: [{ expr: `sum(increase(dapr_sentry_issuercert_changed_total${JOB}[1d]))`, legend: "replaced" }],
    },
  ],
};

function named(what: string, queries: readonly Query[]): readonly Query[] {
  return queries.map(({ expr, legend }) => ({ expr, legend: `${what} ${legend}` }));
}

/** Placement, scheduler and sentry. */
export const CONTROL_PLANE: Dashboard = {
  uid: "outrigger-control-plane",
  title: "Outrigger control plane",
  description: "Placement, scheduler and sentry: who is connected, what is late, what was refused.",
  tags: ["control-plane"],
  variables: [{ name: "job", label: "Job", query: "label_values(process_resident_memory_bytes, job)" }],
  rows: [PLACEMENT, SCHEDULER, SENTRY, processRow(JOB)],
};
