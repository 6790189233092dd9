import type { Examination } from "../examination.ts";
import type { Finding } from "../finding.ts";
import type { RunningSidecar } from "../set-up.ts";
import { answerOf, conditionsOf, metadataOf, subscriptionsOf } from "../sidecar-answers.ts";
import type { DoctorWorld } from "../world.ts";
import { checkLoaded, checkRunningApp } from "./running-app.ts";

const OK_MIN = 200;
const OK_END = 300;
const UNAUTHORIZED = 401;

/** What sidecars that run say about themselves. */
export async function checkRunning(examination: Examination): Promise<readonly Finding[]> {
  const { sidecars } = examination.setUp;
  const found = await Promise.all(sidecars.map(async (sidecar) => await checkSidecar(sidecar, examination)));
  return found.flat();
}

async function checkSidecar(sidecar: RunningSidecar, examination: Examination): Promise<readonly Finding[]> {
  const { name, address } = sidecar;
  const { world } = examination;
  const where = `${address.host}:${address.port}`;
  const health = await answerOf(world, address, "/v1.0/healthz");
  if (typeof health === "string") {
    return [
      {
        severity: "error",
        app: name,
        what: `its sidecar does not answer: ${health}`,
        where,
        why: "nothing of it works",
        fix: "look whether it runs, and into its log",
      },
    ];
  }
  const metadata = await answerOf(world, address, "/v1.0/metadata");
  if (typeof metadata !== "string" && metadata.status === UNAUTHORIZED) {
    return [
      {
        severity: "warning",
        app: name,
        what: "its sidecar wants an API token",
        where,
        why: "without it the doctor cannot look inside",
        fix: "set DAPR_API_TOKEN for the doctor too",
      },
    ];
  }
  const findings = [
    ...(await checkRunningApp(sidecar, world)),
    ...(await components(world, sidecar)),
    ...(await checkLoaded(sidecar, examination)),
    ...(await subscriptions(world, sidecar)),
    ...(await connections(world, sidecar)),
  ];
  if (health.status < OK_MIN || health.status >= OK_END) {
    findings.unshift({
      severity: "error",
      app: name,
      what: `it is not ready: ${health.body || `status ${health.status}`}`,
      where,
      why: "calls of it are refused, and nothing is delivered to it",
      fix: "what is named in brackets is missing; `app` is the app's port",
    });
  }
  return findings.map((finding) => ({ where, ...finding }));
}

async function components(world: DoctorWorld, { name, address }: RunningSidecar): Promise<Finding[]> {
  const answer = await conditionsOf(world, address);
  const findings = (answer?.components ?? []).flatMap((component): Finding[] => {
    const { condition, reason = "", rejectedChange } = component;
    const told = `component ${component.name} (${component.type})`;
    const rejected: Finding[] =
      rejectedChange === undefined
        ? []
        : [
            {
              severity: "error",
              app: name,
              what: `the last change of ${told} was not taken over: ${rejectedChange.reason}`,
              why: "the component as it was before is in use; after a restart it would be the new one",
              fix: "correct the resource, or take the change back",
            },
          ];
    switch (condition) {
      case "ready":
        return rejected;
      case "degraded":
        return [
          ...rejected,
          {
            severity: "error",
            app: name,
            what: `${told} has lost what it is on: ${reason}`,
            why: "calls of it fail until it is back",
            fix: "look at the server behind it",
          },
        ];
      default:
        return [
          ...rejected,
          {
            severity: condition === "starting" ? "warning" : "error",
            app: name,
            what: `${told} is ${condition}${reason === "" ? "" : `: ${reason}`}`,
            why: "whoever asks for it is told that it is not there",
            fix: "correct what the reason names; it is tried again by itself unless the resource is wrong",
          },
        ];
    }
  });
  const reload = (answer?.reload?.problems ?? []).map((what): Finding => ({
    severity: "error",
    app: name,
    what: `a change of its resources is not in effect: ${what}`,
    why: "what was in use before still is",
    fix: "correct the file",
  }));
  return [...findings, ...reload];
}

async function subscriptions(world: DoctorWorld, { name, address }: RunningSidecar): Promise<Finding[]> {
  return (await subscriptionsOf(world, address)).flatMap(
    ({ pubsubname, topic, state, waitingFor, reason = "", place }): Finding[] =>
      state === "active"
        ? []
        : [
            {
              severity: state === "refused" ? "error" : "warning",
              app: name,
              what: `its subscription to ${topic} of ${pubsubname} is ${state}${waitingFor === undefined ? "" : ` for the ${waitingFor}`}${reason === "" ? "" : `: ${reason}`}`,
              ...(place === undefined ? {} : { where: place }),
              why: "its messages stay at the broker, or are lost where nobody else has subscribed",
              fix:
                state === "refused"
                  ? "correct what the reason names"
                  : "it becomes active by itself once that is there",
            },
          ],
  );
}

async function connections(world: DoctorWorld, { name, address }: RunningSidecar): Promise<Finding[]> {
  const metadata = await metadataOf(world, address);
  const { placement = "", runtimeStatus = "" } = metadata?.actorRuntime ?? {};
  return runtimeStatus !== "DISABLED" && placement.includes("disconnected")
    ? [
        {
          severity: "error",
          app: name,
          what: "it has lost the placement service",
          why: "its actors stop within seconds, and it finds those of others no more",
          fix: "look whether the placement service runs and can be reached from there",
        },
      ]
    : [];
}
