import { describe, expect, it } from "vitest";
import { type Make, type Member, MixedCluster, peersWithSentryMissing } from "../harness/mixed-cluster.ts";
import { component } from "../harness/resources.ts";
import { startTestApp } from "../harness/test-app.ts";
import { until } from "../harness/until.ts";

const missing = peersWithSentryMissing;

/** Certificates live so long: each is renewed after half of it. */
const TTL = "6s";
const RENEWALS = 4;
const RENEWALS_MS_MAX = 60_000;
const START_MS_MAX = 30_000;

interface Mix {
  readonly sentry: Make;
  readonly controlPlane: Make;
  readonly caller: Make;
  readonly callee: Make;
}

const MIXES: readonly Mix[] = [
  { sentry: "theirs", controlPlane: "theirs", caller: "ours", callee: "theirs" },
  { sentry: "theirs", controlPlane: "ours", caller: "theirs", callee: "ours" },
  { sentry: "theirs", controlPlane: "ours", caller: "ours", callee: "ours" },
  { sentry: "ours", controlPlane: "theirs", caller: "ours", callee: "theirs" },
  { sentry: "ours", controlPlane: "ours", caller: "theirs", callee: "ours" },
];

/** Calls without a pause until it is stopped. @returns how often there was which answer */
function load(caller: Member, path: string, workers: number) {
  const answers = new Map<string, number>();
  let isOver = false;
  const working = Array.from({ length: workers }, async () => {
    while (!isOver) {
      const response = await caller.fetch(path, { method: "POST", body: "x".repeat(500) });
      const answer = `${response.status} ${await response.text()}`;
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  });
  return async () => {
    isOver = true;
    await Promise.all(working);
    return answers;
  };
}

describe.skipIf(missing !== undefined)(
  `mutual TLS between makes${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    it.each(MIXES)(
      "calls, actors and jobs go on through rotations ($caller calls $callee; control plane $controlPlane, sentry $sentry)",
      async ({ sentry, controlPlane, caller: callers, callee: callees }) => {
        await using cluster = await MixedCluster.start(
          controlPlane,
          controlPlane,
          component("store", "state.in-memory", { actorStateStore: "true" }),
          { make: sentry, ttl: TTL },
        );
        await using app = await startTestApp({
          config: JSON.stringify({ entities: ["t"] }),
          answer: ({ url }) => (url.startsWith("/job/") ? {} : { body: "ok" }),
        });
        await using other = await startTestApp();
        const callee = await cluster.startSidecar(callees, "callee", app.port);
        const caller = await cluster.startSidecar(callers, "caller", other.port);
        const actor = "/v1.0/actors/t/1/method/m";
        await until(
          "the actor answers from the other sidecar",
          async () => (await caller.fetch(actor, { method: "POST" })).ok,
          START_MS_MAX,
        );
        const scheduled = await callee.fetch("/v1.0-alpha1/jobs/tick", {
          method: "POST",
          body: JSON.stringify({ schedule: "@every 1s" }),
        });
        expect(scheduled.status).toBe(204);

        const endCalls = load(caller, "/v1.0/invoke/callee/method/hello", 8);
        const endActorCalls = load(caller, actor, 2);
        const renewals = ({ output }: Member): number =>
          output.split("Successfully renewed workload identity").length - 1;
        const enough = cluster.members.slice(1).map((member) => renewals(member) + RENEWALS);
        await until(
          "everybody has had new certificates, some times",
          () => cluster.members.slice(1).every((member, index) => renewals(member) >= (enough[index] ?? 0)),
          RENEWALS_MS_MAX,
        );
        const [calls, actorCalls] = [await endCalls(), await endActorCalls()];

        expect([...calls.keys()]).toEqual(["200 ok"]);
        expect([...actorCalls.keys()]).toEqual(["200 ok"]);
        const jobs = app.at("/job/tick").length;
        await until("jobs go on", () => app.at("/job/tick").length > jobs);
      },
    );
  },
);
