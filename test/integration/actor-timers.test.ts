import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import {
  RegisterActorTimerRequestSchema,
  UnregisterActorTimerRequestSchema,
} from "../../src/wire/gen/dapr/proto/runtime/v1/actors_pb.js";
import { ActorCluster } from "../harness/actor-cluster.ts";
import { daprMethods } from "../harness/grpc-caller.ts";
import { until } from "../harness/until.ts";

it("a timer comes with its callback and data, as often as it says, and also when it fails", async () => {
  await using cluster = await ActorCluster.start();
  const member = await cluster.add({ answer: ({ url }) => (url.endsWith("/bad") ? { status: 500 } : undefined) });
  await member.ready();
  const ticks = (name: string) => member.app.at(`/actors/t/1/method/timer/${name}`);
  const body = { dueTime: "0s", period: "10s", data: "hello", callback: "mycallback" };
  expect((await member.actor("1/timers/http", body)).status).toBe(204);
  const { grpc } = member.sidecar;
  const fields = { actorType: "t", actorId: "1", dueTime: "0s", period: "10s", data: Buffer.from("hello") };
  const request = create(RegisterActorTimerRequestSchema, { ...fields, name: "grpc", callback: "mycallback" });
  await grpc.call(daprMethods.registerActorTimer, request);
  for (const name of ["fine", "bad"]) {
    expect((await member.actor(`1/timers/${name}`, { dueTime: "0s", period: "R3/PT1S" })).status).toBe(204);
  }
  await until("all have come", () => ["http", "grpc", "fine", "bad"].every((name) => ticks(name).length > 0));
  expect(ticks("http")[0]?.body).toBe('{"data":"hello","callback":"mycallback","dueTime":"0s","period":"10s"}');
  expect(ticks("grpc")[0]?.body).toBe('{"data":"aGVsbG8=","callback":"mycallback","dueTime":"0s","period":"10s"}');

  await until("both have come three times", () => ticks("fine").length === 3 && ticks("bad").length === 3);
  const timers = async (): Promise<readonly number[]> => [ticks("fine").length, ticks("bad").length];
  const last = { dueTime: "2s" };
  await member.actor("1/timers/last", last);
  await until("two seconds are over", () => ticks("last").length === 1);
  expect(await timers()).toEqual([3, 3]);

  expect((await member.actor("1/timers/http", undefined, { method: "DELETE" })).status).toBe(204);
  const gone = create(UnregisterActorTimerRequestSchema, { actorType: "t", actorId: "1", name: "grpc" });
  await grpc.call(daprMethods.unregisterActorTimer, gone);
});

it("a timer whose tick is under way holds up no other actor's", async () => {
  await using cluster = await ActorCluster.start();
  const release = Promise.withResolvers<void>();
  const member = await cluster.add({
    async answer({ url }) {
      if (url.startsWith("/actors/t/slow/method")) {
        await release.promise;
      }
      return undefined;
    },
  });
  await member.ready();
  const ticked = (id: string): boolean => member.app.at(`/actors/t/${id}/method/timer/n`).length > 0;
  await member.actor("slow/timers/n", { dueTime: "0s" });
  await until("the slow one has begun", () => ticked("slow"));
  await member.actor("fast/timers/n", { dueTime: "0s" });
  await until("the fast one has ticked", () => ticked("fast"));
  release.resolve();
});

it("timers of actors that live in another sidecar tick there", async () => {
  await using cluster = await ActorCluster.start();
  const first = await cluster.add();
  const second = await cluster.add();
  await first.ready();
  await second.ready();
  const ids = Array.from({ length: 24 }, (_, id) => String(id));
  for (const id of ids) {
    const body = { dueTime: "0s", period: "200ms", data: "hello" };
    expect((await first.actor(`${id}/timers/n`, body)).status).toBe(204);
  }
  const ticked = (member: typeof first, id: string) => member.app.at(`/actors/t/${id}/method/timer/n`);
  await until("all have ticked twice", () =>
    ids.every((id) => ticked(first, id).length > 1 || ticked(second, id).length > 1),
  );
  const elsewhere = ids.filter((id) => ticked(second, id).length > 0);
  expect(elsewhere.length).toBeGreaterThan(0);
  expect(ids.filter((id) => ticked(first, id).length > 0)).toEqual(ids.filter((id) => !elsewhere.includes(id)));
  expect(ticked(second, elsewhere[0] ?? "")[0]?.body).toBe(
    '{"data":"hello","callback":"","dueTime":"0s","period":"200ms"}',
  );
});
