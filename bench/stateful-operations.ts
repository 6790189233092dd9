import type { LoadRequest } from "./operation.ts";
import type { Operation } from "./operation.ts";

/** Bytes of every body, as in the published figures. */
const BODY_BYTES = 1024;

/** Stands in a body for the moment at which triggers of a burst are due, in RFC 3339. */
export const DUE_MARK = "DUE-MARK";

/** Triggers that are due at once. */
const BURST = 5_000;

/** Actors that the reminders of a burst belong to; each has as many, with the same names as the others'. */
const BURST_ACTORS = 500;

const IDLE_ACTORS = 50_000;

const ACTOR = "/v1.0/actors/bench";
const json = { "content-type": "application/json" };
const text = "x".repeat(BODY_BYTES - 2);
const body = Buffer.from(JSON.stringify(text));

/** Counts the requests, from 0, for names of their own. */
function numbered(path: (lane: number, number: number) => string): NonNullable<LoadRequest["varying"]> {
  let next = 0;
  return (lane) => {
    next += 1;
    return path(lane, next - 1);
  };
}

function actorCall(varying: (lane: number) => string): LoadRequest {
  return { method: "PUT", path: "", varying, headers: json, body, expectStatus: 200 };
}

function reminder(varying: (lane: number) => string, dueTime: string): LoadRequest {
  const reminderBody = Buffer.from(JSON.stringify({ dueTime, data: text }));
  return { method: "POST", path: "", varying, headers: json, body: reminderBody, expectStatus: 204 };
}

function job(varying: (lane: number) => string, dueTime: string): LoadRequest {
  const value = { "@type": "type.googleapis.com/google.protobuf.StringValue", value: text };
  const jobBody = Buffer.from(JSON.stringify({ dueTime, data: value }));
  return { method: "POST", path: "", varying, headers: json, body: jobBody, expectStatus: 204 };
}

const newActor = numbered((_lane, number) => `${ACTOR}/new-${number}/method/echo`);

/**
 * Actors, reminders and jobs. Every connection calls an actor of its own, so that turns of one actor do not decide. Aims
 * without a yardstick in the published figures are given in P by its cost there, 21.5 µs.
 */
export const STATEFUL_OPERATIONS: readonly Operation[] = [
  {
    name: "actor-call",
    yardstick: "P",
    aim: 3,
    topology: "stateful",
    fixedRate: 2000,
    request: actorCall((lane) => `${ACTOR}/${lane}/method/echo`),
  },
  {
    name: "actor-transaction",
    yardstick: "P",
    aim: 4.6,
    topology: "stateful",
    fixedRate: 1000,
    request: actorCall((lane) => `${ACTOR}/${lane}/method/save`),
  },
  {
    name: "actor-activation",
    yardstick: "P",
    aim: 3.7,
    topology: "stateful",
    fixedRate: 1000,
    request: actorCall(newActor),
  },
  {
    name: "actor-idle",
    yardstick: "P",
    aim: 3.7,
    topology: "stateful",
    fixedRate: 1000,
    idleActors: IDLE_ACTORS,
    request: actorCall(newActor),
  },
  {
    name: "reminder-register",
    controlPlane: true,
    yardstick: "P",
    aim: 5.6,
    topology: "stateful",
    fixedRate: 1000,
    request: reminder(
      numbered((_lane, number) => `${ACTOR}/late-${number}/reminders/expiry`),
      "24h",
    ),
  },
  {
    name: "reminder-burst",
    yardstick: "P",
    aim: 5.6,
    topology: "stateful",
    fixedRate: 0,
    burst: BURST,
    request: reminder(
      numbered(
        (_lane, number) =>
          `${ACTOR}/${number % BURST_ACTORS}/reminders/${Math.trunc(number / BURST_ACTORS) % (BURST / BURST_ACTORS)}`,
      ),
      DUE_MARK,
    ),
  },
  {
    name: "job-schedule",
    controlPlane: true,
    yardstick: "P",
    aim: 5.6,
    topology: "stateful",
    fixedRate: 1000,
    request: job(
      numbered((_lane, number) => `/v1.0/jobs/j-${number}`),
      "24h",
    ),
  },
  {
    name: "job-burst",
    yardstick: "P",
    aim: 4.2,
    topology: "stateful",
    fixedRate: 0,
    burst: BURST,
    request: job(
      numbered((_lane, number) => `/v1.0/jobs/b-${number}`),
      DUE_MARK,
    ),
  },
];
