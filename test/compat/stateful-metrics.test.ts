import { describe, expect, it } from "vitest";
import { type Make, type Member, MixedCluster, peersMissing } from "../harness/mixed-cluster.ts";
import { component } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

const ACTOR = 'actor_type="t",app_id="counter"';
const JOB = 'app_id="counter",namespace="",operation="job_trigger_op"';

/** What the programs of a cluster count when this file's calls have been made; histograms by their counts. */
const SERIES: Readonly<Record<"sidecar" | "placement" | "scheduler", readonly string[]>> = {
  sidecar: [
    `dapr_component_job_failure_count{${JOB}} 1`,
    `dapr_component_job_latencies_count{${JOB},success="false"} 1`,
    `dapr_component_job_latencies_count{${JOB},success="true"} 1`,
    `dapr_component_job_success_count{${JOB}} 1`,
    `dapr_runtime_actor_deactivated_total{${ACTOR}} 1`,
    `dapr_runtime_actor_pending_actor_calls{${ACTOR}} 0`,
    `dapr_runtime_actor_rebalanced_total{${ACTOR}} 1`,
    `dapr_runtime_actor_reminders_fired_total{${ACTOR},success="false"} 1`,
    `dapr_runtime_actor_reminders_fired_total{${ACTOR},success="true"} 1`,
    `dapr_runtime_actor_timers_fired_total{${ACTOR},success="false"} 1`,
    `dapr_runtime_actor_timers_fired_total{${ACTOR},success="true"} 2`,
    `dapr_runtime_actor_timers{${ACTOR}} 1`,
  ],
  placement: [
    'dapr_placement_actor_runtimes_total{host_namespace="default"} 1',
    "dapr_placement_leader_status 1",
    "dapr_placement_raft_leader_status 1",
    'dapr_placement_runtimes_total{host_namespace="default"} 1',
  ],
  scheduler: [
    'dapr_scheduler_jobs_created_failed_total{type="job"} 1',
    'dapr_scheduler_jobs_created_total{type="actor"} 3',
    'dapr_scheduler_jobs_created_total{type="job"} 3',
    'dapr_scheduler_jobs_deleted_total{type="actor"} 1',
    'dapr_scheduler_jobs_deleted_total{type="job"} 1',
    'dapr_scheduler_jobs_failed_total{type="job"} 1',
    'dapr_scheduler_jobs_triggered_total{type="actor"} 2',
    'dapr_scheduler_jobs_triggered_total{type="job"} 1',
    "dapr_scheduler_sidecars_connected 3",
    'dapr_scheduler_trigger_latency_count{type="actor"} 2',
    'dapr_scheduler_trigger_latency_count{type="job"} 2',
  ],
};

/** Dapr's names that 1.18.3 registers and never writes; we write them. */
const UNWRITTEN = /^dapr_runtime_actor_(status_report|status_report_fail|table_operation_recv)_total\{/;

/** What follows from the last call is counted after its answer. */
const COUNTED_MS_MAX = 30_000;

async function post(sidecar: Member, path: string, body: unknown, status = 204): Promise<void> {
  const reply = await sidecar.fetch(path, { method: "POST", body: JSON.stringify(body) });
  expect([path, reply.status, await reply.text()]).toEqual([
    path,
    status,
    status === 204 ? "" : expect.stringContaining("DAPR_SCHEDULER_SCHEDULE_JOB"),
  ]);
}

/** The series of actors, jobs, placement and scheduler in an exposition; of histograms only how often. */
async function seriesOf(member: Member | undefined): Promise<readonly string[]> {
  const text = (await member?.metrics()) ?? "";
  return text
    .split("\n")
    .filter((line) => /^dapr_(runtime_actor|component_job|scheduler|placement)_/.test(line))
    .filter((line) => !/_(bucket|sum)\{/.test(line) && !UNWRITTEN.test(line))
    .toSorted();
}

const MAKES: readonly Make[] = peersMissing === undefined ? ["ours", "theirs"] : ["ours"];

describe(`metrics of actors and jobs${peersMissing === undefined ? "" : ` (not beside Dapr's: ${peersMissing})`}`, () => {
  it.each(MAKES)("have the names, labels and values of 1.18.3 (%s)", async (make) => {
    const store = component("store", "state.in-memory", { actorStateStore: "true" });
    await using app = await startTestApp({
      // Longer than all the calls take, so that it is idle once.
      config: JSON.stringify({ entities: ["t"], actorIdleTimeout: "8s" }),
      answer: ({ url }) =>
        url.endsWith("/bad")
          ? { status: 500 }
          : url.endsWith("/remind/stop")
            ? { headers: { "X-DaprReminderCancel": "true" } }
            : undefined,
    });
    await using cluster = await MixedCluster.start(make, make, store);
    const sidecar = await cluster.startSidecar(make, "counter", app.port);
    const actor = "/v1.0/actors/t/1";
    await until("actors are served", async () => (await sidecar.fetch(`${actor}/method/m`, { method: "POST" })).ok);
    await post(sidecar, `${actor}/timers/n`, { dueTime: "0s" });
    await post(sidecar, `${actor}/timers/m`, { dueTime: "0s" });
    await post(sidecar, `${actor}/timers/bad`, { dueTime: "0s" });
    await post(sidecar, `${actor}/timers/later`, { dueTime: "1h" });
    await post(sidecar, `${actor}/reminders/n`, { dueTime: "0s" });
    await post(sidecar, `${actor}/reminders/stop`, { dueTime: "0s" });
    await post(sidecar, `${actor}/reminders/later`, { dueTime: "1h" });
    await post(sidecar, "/v1.0-alpha1/jobs/n", { dueTime: "0s" });
    await post(sidecar, "/v1.0-alpha1/jobs/bad", { dueTime: "0s", failurePolicy: { drop: {} } });
    await post(sidecar, "/v1.0-alpha1/jobs/later", { dueTime: "1h" });
    await post(sidecar, "/v1.0-alpha1/jobs/none", { dueTime: "some day" }, 500);
    await sidecar.fetch("/v1.0-alpha1/jobs/later", { method: "DELETE" });
    await sidecar.fetch(`${actor}/reminders/later`, { method: "DELETE" });
    await until("the actor is idle", () => app.requests.some(({ method }) => method === "DELETE"), COUNTED_MS_MAX);
    const [placement, scheduler] = cluster.members;
    const counted = { sidecar, placement, scheduler };
    for (const role of ["sidecar", "placement", "scheduler"] as const) {
      await expect.poll(() => seriesOf(counted[role]), { timeout: COUNTED_MS_MAX }).toEqual(SERIES[role].toSorted());
    }
  });
});
