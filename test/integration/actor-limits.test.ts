import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import { InvokeActorRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/actors_pb.js";
import { ActorCluster, type ActorMember } from "../harness/actor-cluster.ts";
import { daprMethods } from "../harness/grpc-caller.ts";

const BODY_BYTES_MAX = 1_024;

async function answered(reply: Promise<Response>): Promise<[number, string]> {
  const { status, text } = await reply.then(async (one) => ({ status: one.status, text: await one.text() }));
  return [status, text];
}

async function limited(cluster: ActorCluster): Promise<ActorMember> {
  const member = await cluster.add({
    maxBodyBytes: BODY_BYTES_MAX,
    answer: ({ url }) => (url.endsWith("/method/large") ? { body: "x".repeat(BODY_BYTES_MAX + 1) } : undefined),
  });
  await member.ready();
  await member.actor("1/method/m");
  return member;
}

it("bodies of calls, state, timers and reminders, and answers, have --max-body-size", async () => {
  await using cluster = await ActorCluster.start({ scheduler: [] });
  const member = await limited(cluster);
  const data = "x".repeat(BODY_BYTES_MAX);
  const bodies = {
    "method/m": data,
    state: [{ operation: "upsert", request: { key: "k", value: data } }],
    "timers/t": { dueTime: "1h", data },
    "reminders/r": { dueTime: "1h", data },
  };
  for (const [path, body] of Object.entries(bodies)) {
    expect([path, await answered(member.actor(`1/${path}`, body))]).toEqual([
      path,
      [413, expect.stringMatching(/body|size|large/)],
    ]);
  }
  const large = create(InvokeActorRequestSchema, {
    actorType: "t",
    actorId: "1",
    method: "m",
    data: Buffer.from(data),
  });
  const failure = await member.sidecar.grpc.failure(daprMethods.invokeActor, large);
  expect(failure.code).toBe(GRPC_STATUS.RESOURCE_EXHAUSTED);
  const [status, text] = await answered(member.actor("1/method/large"));
  expect([status, text]).toEqual([500, expect.stringContaining(String(BODY_BYTES_MAX))]);
});

it("names have a length", async () => {
  await using cluster = await ActorCluster.start({ scheduler: [] });
  const member = await limited(cluster);
  const long = "a".repeat(1_025);
  const reason = "1025 characters, and 1024 is the limit; use a shorter one";
  for (const path of [`${long}/method/m`, `1/timers/${long}`, `1/reminders/${long}`]) {
    expect(await answered(member.actor(path, {}))).toEqual([400, expect.stringContaining(reason)]);
  }
  for (const path of [`${long}/timers/t`, `${long}/reminders/r`]) {
    expect(await answered(member.actor(path, {}))).toEqual([500, expect.stringContaining(reason)]);
  }
});

it("an actor has so many reminders, which the scheduler's flag says", async () => {
  await using cluster = await ActorCluster.start({ scheduler: ["--actor-reminders-max=2"] });
  const member = await limited(cluster);
  const make = (path: string) => answered(member.actor(path, { dueTime: "1h" }));
  expect([await make("1/reminders/a"), await make("1/reminders/b"), await make("2/reminders/a")]).toEqual(
    Array.from({ length: 3 }, () => [204, ""]),
  );
  const [status, text] = await make("1/reminders/c");
  expect([status, JSON.parse(text)]).toEqual([
    500,
    {
      errorCode: "ERR_ACTOR_REMINDER_CREATE",
      message:
        "error creating actor reminder: rpc error: code = ResourceExhausted desc = actor t||1 has 2 reminders, and the limit is 2: delete some, or start the scheduler with a greater --actor-reminders-max",
    },
  ]);
  expect(await make("1/reminders/b")).toEqual([204, ""]);
});
