import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { GRPC_STATUS } from "../../src/errors/grpc-status.ts";
import {
  InvokeActorRequestSchema,
  RegisterActorReminderRequestSchema,
  RegisterActorTimerRequestSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/actors_pb.js";
import { ActorCluster } from "../harness/actor-cluster.ts";
import { ActorStream } from "../harness/actor-stream.ts";
import { daprMethods } from "../harness/grpc-caller.ts";
import { until } from "../harness/until.ts";

const ACTOR = { actorType: "s", actorId: "1" };
const call = (method: string) =>
  create(InvokeActorRequestSchema, { ...ACTOR, method, data: Buffer.from("in"), metadata: { kind: "test" } });

function echo(sidecar: ConstructorParameters<typeof ActorStream>[0]): ActorStream {
  return new ActorStream(sidecar, (event) => {
    switch (event.case) {
      case "invokeRequest": {
        const { id, method, data } = event.value;
        return method === "missing"
          ? { case: "requestFailed", value: { id, code: GRPC_STATUS.NOT_FOUND, message: "what?" } }
          : { case: "invokeResponse", value: { id, data: Buffer.concat([data, Buffer.from("+out")]) } };
      }
      case "timerRequest":
        return { case: "timerResponse", value: { id: event.value.id } };
      case "reminderRequest":
        return { case: "reminderResponse", value: { id: event.value.id } };
      case "deactivateRequest":
        return { case: "deactivateResponse", value: { id: event.value.id } };
      default:
        return undefined;
    }
  });
}

it("an app without a port hosts actors on a stream: calls, timers, reminders, deactivation", async () => {
  await using cluster = await ActorCluster.start({ scheduler: [] });
  const sidecar = await cluster.addSidecar();
  await using host = echo(sidecar);
  await host.register({
    entities: ["s", "idle"],
    entitiesConfig: [{ entities: ["idle"], actorIdleTimeout: durationFromMs(100) }],
  });
  const answer = await until("the actor is hosted", () => sidecar.grpc.call(daprMethods.invokeActor, call("m")));
  expect(Buffer.from(answer.data).toString()).toBe("in+out");
  expect(host.of("invokeRequest").at(-1)).toMatchObject({ ...ACTOR, method: "m", metadata: { kind: "test" } });
  const failure = await sidecar.grpc.failure(daprMethods.invokeActor, call("missing"));
  expect(failure.message).toContain("actor method not found: missing");

  const data = Buffer.from("bytes");
  const timer = { ...ACTOR, name: "t", dueTime: "0s", callback: "cb", data };
  await sidecar.grpc.call(daprMethods.registerActorTimer, create(RegisterActorTimerRequestSchema, timer));
  const reminder = { ...ACTOR, name: "r", dueTime: "0s", data };
  await sidecar.grpc.call(daprMethods.registerActorReminder, create(RegisterActorReminderRequestSchema, reminder));
  await until("both have come", () => host.of("timerRequest").length + host.of("reminderRequest").length === 2);
  expect(host.of("timerRequest")).toMatchObject([{ ...ACTOR, name: "t", dueTime: "0s", callback: "cb" }]);
  expect(host.of("reminderRequest")).toMatchObject([{ ...ACTOR, name: "r" }]);

  const idle = create(InvokeActorRequestSchema, { actorType: "idle", actorId: "2", method: "m" });
  await sidecar.grpc.call(daprMethods.invokeActor, idle);
  await until("the idle actor is deactivated", () => host.of("deactivateRequest").length === 1);
  expect(host.of("deactivateRequest")).toMatchObject([{ actorType: "idle", actorId: "2" }]);
});

it("actors are gone with their stream, and there again with the next", async () => {
  await using cluster = await ActorCluster.start();
  const sidecar = await cluster.addSidecar();
  const hosted = async (): Promise<unknown> =>
    ((await (await sidecar.fetch("/v1.0/metadata")).json()) as { readonly actorRuntime: unknown }).actorRuntime;
  for (const time of ["first", "second"]) {
    const host = echo(sidecar);
    await host.register({ entities: ["s"] });
    await until(`the actor is hosted the ${time} time`, () => sidecar.grpc.call(daprMethods.invokeActor, call("m")));
    expect(await hosted()).toMatchObject({ runtimeStatus: "RUNNING", activeActors: [{ type: "s", count: 1 }] });
    host.closeSend();
    await until("the stream has ended", () => host.end);
    expect(host.end?.code).toBe(0);
    await host[Symbol.asyncDispose]();
    expect(await hosted()).not.toMatchObject({ activeActors: [{ type: "s" }] });
  }
});

it("a stream is refused where the app speaks HTTP, and without a registration", async () => {
  await using cluster = await ActorCluster.start();
  const member = await cluster.add();
  await using rejected = new ActorStream(member.sidecar);
  rejected.send({ case: "initialRequest", value: { entities: ["s"] } });
  await until("it has ended", () => rejected.end);
  expect(rejected.end).toEqual({
    code: GRPC_STATUS.FAILED_PRECONDITION,
    message: "actor callback streaming requires a gRPC app channel",
  });
  await using odd = new ActorStream(await cluster.addSidecar());
  odd.send({ case: "invokeResponse", value: { id: "1" } });
  await until("it has ended", () => odd.end);
  expect(odd.end).toMatchObject({ code: GRPC_STATUS.INVALID_ARGUMENT });
});
