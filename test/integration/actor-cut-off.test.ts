import { create } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { InvokeActorRequestSchema } from "../../src/wire/gen/dapr/proto/runtime/v1/actors_pb.js";
import { ActorCluster } from "../harness/actor-cluster.ts";
import { ActorStream } from "../harness/actor-stream.ts";
import { daprMethods } from "../harness/grpc-caller.ts";
import { until } from "../harness/until.ts";

/** So many that with two hosts each of them has some. */
const IDS = Array.from({ length: 24 }, (_, index) => String(index + 1));

it("a turn that was cut off ends in the app before the actor comes back to it, and can write no state meanwhile", async () => {
  await using cluster = await ActorCluster.start();
  const first = await cluster.addSidecar();
  await using app = new ActorStream(first, (event) => {
    switch (event.case) {
      case "invokeRequest":
        return event.value.method === "slow" ? undefined : { case: "invokeResponse", value: { id: event.value.id } };
      case "deactivateRequest":
        return { case: "deactivateResponse", value: { id: event.value.id } };
      default:
        return undefined;
    }
  });
  await app.register({ entities: ["t"], drainRebalancedActors: false });
  const call = (actorId: string, method: string) =>
    first.grpc.call(daprMethods.invokeActor, create(InvokeActorRequestSchema, { actorType: "t", actorId, method }));
  const calls = (actorId: string, method: string) =>
    app.of("invokeRequest").filter((one) => one.actorId === actorId && one.method === method);
  await until("actors are hosted", () => call("0", "quick"));

  const cutOff: string[] = [];
  for (const id of IDS) {
    const over = (): void => void cutOff.push(id);
    call(id, "slow").then(over, over);
  }
  await until("all are under way", () => IDS.every((id) => calls(id, "slow").length === 1));
  const second = await cluster.add();
  await second.ready();
  const id = await until("one has moved, and its caller does not wait for the app any longer", () => cutOff[0]);
  const body = JSON.stringify([{ operation: "upsert", request: { key: "n", value: 1 } }]);
  const refused = await first.fetch(`/v1.0/actors/t/${id}/state`, { method: "POST", body });
  expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining("ERR_ACTOR_INSTANCE_MISSING")]);

  await second.stop();
  const back = call(id, "quick");
  await until("a new actor lives here again", async () => {
    const actor = crypto.randomUUID();
    await call(actor, "quick");
    return calls(actor, "quick").length === 1;
  });
  expect(calls(id, "quick")).toEqual([]);
  app.send({ case: "invokeResponse", value: { id: calls(id, "slow")[0]?.id ?? "" } });
  await back;
  const deactivated = app.events.findIndex((event) => event.case === "deactivateRequest" && event.value.actorId === id);
  const came = app.events.findIndex(
    (event) => event.case === "invokeRequest" && event.value.actorId === id && event.value.method === "quick",
  );
  expect(deactivated).toBeGreaterThan(0);
  expect(came).toBeGreaterThan(deactivated);
});
