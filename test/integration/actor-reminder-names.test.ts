import { create } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  ListActorRemindersRequestSchema,
  RegisterActorReminderRequestSchema,
  UnregisterActorRemindersByTypeRequestSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/actors_pb.js";
import { ActorCluster, type ActorMember } from "../harness/actor-cluster.ts";
import { daprMethods } from "../harness/grpc-caller.ts";
import { until } from "../harness/until.ts";

let cluster: ActorCluster;
let member: ActorMember;

beforeAll(async () => {
  cluster = await ActorCluster.start({ scheduler: [] });
  member = await cluster.add({ config: { entities: ["t", "u"] } });
  await member.ready();
});
afterAll(() => cluster[Symbol.asyncDispose]());

const reminder = (actorId: string, name: string, dueTime = "0ms") =>
  create(RegisterActorReminderRequestSchema, { actorType: "t", actorId, name, dueTime });

it.each([
  "",
  "bad/name",
  "bad\\name",
  "bad#name",
  "bad?name",
  "bad\u0000name",
  "bad\nname",
  ".",
  "..",
  "a".repeat(600),
])("a reminder cannot be called %j", async (name) => {
  const failure = await member.sidecar.grpc.failure(daprMethods.registerActorReminder, reminder("1", name));
  expect(failure.code).not.toBe(0);
});

it.each(["bad/id", "bad\\id", "bad#id", "bad?id", "bad\u0000id", "bad\nid"])(
  "an actor %j has no reminders",
  async (id) => {
    const failure = await member.sidecar.grpc.failure(daprMethods.registerActorReminder, reminder(id, "n"));
    expect(failure.code).not.toBe(0);
  },
);

it.each(["remind|me@now", "remind||me||now", "a b", "ä"])("a reminder %j comes under its name", async (name) => {
  await member.sidecar.grpc.call(daprMethods.registerActorReminder, reminder("1", name));
  const path = `/actors/t/1/method/remind/${name}`;
  await until("it has come", () => member.app.requests.some(({ url }) => decodeURI(url) === path));
});

it("reminders are listed, and deleted, by type and by actor", async () => {
  const { grpc } = member.sidecar;
  const listed = async (actorType: string, actorId?: string): Promise<readonly string[]> => {
    const request = create(ListActorRemindersRequestSchema, {
      actorType,
      ...(actorId === undefined ? {} : { actorId }),
    });
    const { reminders } = await grpc.call(daprMethods.listActorReminders, request);
    return reminders.map(({ name, reminder: one }) => `${one?.actorId ?? ""}/${name}`).toSorted();
  };
  for (const [id, name] of [
    ["list-1", "a"],
    ["list-1", "b"],
    ["list-2", "a"],
  ] as const) {
    await grpc.call(daprMethods.registerActorReminder, reminder(id, name, "1000s"));
  }
  await until("those of before have come", async () => (await listed("t")).length === 3);
  expect(await Promise.all([listed("t"), listed("t", "list-1"), listed("t", "list-"), listed("u")])).toEqual([
    ["list-1/a", "list-1/b", "list-2/a"],
    ["list-1/a", "list-1/b"],
    [],
    [],
  ]);
  const unregister = (actorId?: string) =>
    create(UnregisterActorRemindersByTypeRequestSchema, {
      actorType: "t",
      ...(actorId === undefined ? {} : { actorId }),
    });
  await grpc.call(daprMethods.unregisterActorRemindersByType, unregister("list-1"));
  expect(await listed("t")).toEqual(["list-2/a"]);
  await grpc.call(daprMethods.unregisterActorRemindersByType, unregister());
  expect(await listed("t")).toEqual([]);
});
